"""Thousands of hostile requests: nothing breaks, nothing leaks, and no other run changes.

The requests are the same in every run; tests/support/examples.py says how to search further.
"""

import contextlib
import http.client
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.support.examples import draw_examples
from tests.support.tiers import keep_every
from tests.support.waiting import PATIENCE
from tests.worker.hostile import INNOCENT, Hostile, messages, requests, updates
from tests.worker.worker_calls import KEY, Api, Probe

pytestmark = [pytest.mark.workerd, pytest.mark.no_cover]

SERVICE = Path(__file__).parent.parent.parent / "worker_src/flowflare/src/service.js"
WRITING = ["/api/workflows/update", "/service/start-workflow"]
ROUTES = re.findall(r"^  '(/[\w./-]+)': \{", SERVICE.read_text(), re.MULTILINE)
#: What an error must not reveal: SQL, names of tables, code, stacks, bindings, keys.
LEAK = re.compile(
    r"D1_|SQLITE|sqlite|SELECT |INSERT |UPDATE |constraint|workflow_steps|workflow_step_retries"
    r"|TypeError|RangeError|SyntaxError|Cannot read|is not a function|Unexpected token"
    r"|\.js:\d|\bat \w+ \(|node_modules|cloudflare-internal|ff_test_key|ff_previous_key"
)


#: Rows with high numbers, so that later rows get no number that a request may name by chance.
BEYOND = [
    "INSERT OR IGNORE INTO workflow (id, name) VALUES (1000000, 'beyond')",
    "INSERT OR IGNORE INTO workflow_runs (id, workflow_id, workflow_name)"
    " VALUES ('beyond', 1000000, 'beyond')",
    "INSERT OR IGNORE INTO workflow_steps (id, workflow_run_id, step_name, step_index)"
    " VALUES (1000000, 'beyond', 'beyond', 1)",
    "INSERT OR IGNORE INTO workflow_step_retries (id, workflow_step_id, retry_count)"
    " VALUES (1000000, 1000000, 1)",
]


@pytest.fixture
def innocent(service: Api, probe: Probe) -> Iterator[None]:
    """Create a finished and a running run, of which no column may change."""
    for sql in BEYOND:
        probe.sql(sql)
    for suffix, status in (("", "Running"), ("-done", "Completed")):
        run = f"{INNOCENT}{suffix}"
        place = {"workflow_run_id": run, "step_index": 1, "step_name": "one"}
        service.start("innocent", runId=run, ref_id=run, ref_type="innocent", params={"n": 1})
        service.update("step_update", status="Retrying", state={"n": 1}, **place)
        service.update("retry_update", retry_count=1, last_error="no luck", **place)
        service.update("run_update", id=run, status=status, metadata={"by": "ann"})
    before = innocents(probe)
    assert [len(table) for table in before] == [2, 2, 2, 2]
    yield
    assert innocents(probe) == before


def innocents(probe: Probe) -> list[list[dict[str, Any]]]:
    mine = "SELECT id FROM workflow_runs WHERE ref_type = 'innocent'"
    steps = f"SELECT id FROM workflow_steps WHERE workflow_run_id IN ({mine})"
    return [
        probe.sql(f"SELECT * FROM {table} WHERE {condition} ORDER BY id")
        for table, condition in (
            ("workflow", "name = 'innocent'"),
            ("workflow_runs", "ref_type = 'innocent' OR workflow_name = 'innocent'"),
            ("workflow_steps", f"workflow_run_id IN ({mine})"),
            ("workflow_step_retries", f"workflow_step_id IN ({steps})"),
        )
    ]


@dataclass(frozen=True)
class Answer:
    """The service's answer."""

    status: int
    headers: http.client.HTTPMessage
    text: str


class Line:
    """A connection that sends what ordinary clients refuse to send."""

    def __init__(self, address: httpx.URL) -> None:
        self._connection = http.client.HTTPConnection(
            address.host, address.port or 80, timeout=PATIENCE
        )

    def ask(self, request: Hostile) -> Answer:
        connection = self._connection
        connection.putrequest(request.method, request.path)
        for name, text in request.headers:
            connection.putheader(name, text.encode("latin-1"))
        connection.putheader("Content-Length", str(len(request.content)))
        connection.endheaders(request.content)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read().decode())

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def line(service: Api) -> Iterator[Line]:
    made = Line(service.client.base_url)
    yield made
    made.close()


def judge(request: Hostile, answer: Answer) -> None:
    """Check what holds for every answer."""
    assert answer.status < 500, answer.text
    assert answer.headers["X-Request-Id"]
    if request.method == "HEAD" or answer.status == 204:
        return
    body = json.loads(answer.text)
    if answer.status < 400:
        assert request.has_key() or request.path.startswith("/healthz"), "no key was needed"
        assert body.get("success", "openapi" in body) is True
        return
    assert (body["success"], body["status"]) == (False, answer.status)
    assert body["error"] == body["detail"]
    assert not LEAK.search(answer.text), answer.text
    assert len(answer.text) < 20_000


@pytest.fixture(scope="module")
def document(clients: dict[str, httpx.Client]) -> Any:
    return clients["service"].get("/openapi.json", headers={"X-API-Key": KEY}).json()


def fields(document: Any, path: str) -> list[str]:
    """List the names of everything that a request to the route may contain."""
    found: set[str] = set()

    def collect(schema: Any) -> None:
        if isinstance(schema, list):
            for each in schema:
                collect(each)
        elif isinstance(schema, dict):
            found.update(schema.get("properties", ()))
            name = schema.get("$ref", "").rpartition("/")[2]
            collect(document["components"]["schemas"][name] if name else list(schema.values()))

    collect(document["paths"][path].get("post", {}).get("requestBody"))
    return sorted(found)


@pytest.mark.usefixtures("innocent")
@pytest.mark.parametrize("path", keep_every(10, ROUTES))
def test_hostile_requests(line: Line, document: Any, path: str) -> None:
    names = fields(document, path)

    @draw_examples(most := 600 if path in WRITING else 400, few=most)
    @given(requests(path, names))
    def check_request(request: Hostile) -> None:
        judge(request, line.ask(request))

    check_request()


@pytest.mark.usefixtures("innocent")
def test_hostile_messages_to_the_feed(service: Api, document: Any) -> None:
    """Every message is answered or ends the connection, and the next watcher can connect."""
    names = fields(document, "/api/workflows/query")
    url = f"{service.client.base_url}/api/tracker-websocket".replace("http", "ws", 1)

    @draw_examples(100, few=100)
    @given(messages(names))
    def check_messages(spoken: list[str | bytes]) -> None:
        with connect(url, additional_headers={"X-API-Key": KEY}) as socket:
            assert json.loads(socket.recv(timeout=PATIENCE))["type"] == "initial_data"
            with contextlib.suppress(ConnectionClosed):
                for message in spoken:
                    socket.send(message)
                socket.send("ping")
                while (text := socket.recv(timeout=PATIENCE)) != "pong":
                    frame = json.loads(text)
                    assert "type" in frame
                    assert frame["type"] != "error" or not LEAK.search(str(text)), text
            assert socket.close_code in {None, 1008, 1009}

    check_messages()


@pytest.mark.usefixtures("innocent")
def test_hostile_updates_of_a_bound_worker(probe: Probe, document: Any) -> None:
    """The Durable Object accepts updates of Workers without a key, but no other updates."""
    names = fields(document, "/api/workflows/update")

    @draw_examples(150, few=150)
    @given(updates(names))
    def check_update(data: dict[str, Any]) -> None:
        for name in ("updateWorkflowInstance", "updateWorkflowStep", "recordStepRetry"):
            body = json.dumps({"name": name, "data": data, "bound": "tracker"})
            answer = probe.client.post("/tracking", content=body)
            assert answer.status_code == 200, answer.text
            assert isinstance(answer.json()["result"], bool | dict)

    check_update()
