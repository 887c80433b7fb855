"""Clients that race for the same objects, a disk that is full, and Workers that open sockets."""

import resource
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.emulator.emulated import HELLO, Account, emulator, get, upload

pytestmark = pytest.mark.workerd

FLOW = """
import { WorkflowEntrypoint } from 'cloudflare:workers';
export class Flow extends WorkflowEntrypoint { async run() { return 1; } }
export default { fetch: () => new Response('') };
"""
SOCKET = """
import { connect } from 'cloudflare:sockets';
export default {
  async fetch(request) {
    const query = new URL(request.url).searchParams;
    const [host, port, path] = ['host', 'port', 'path'].map((name) => query.get(name));
    if (query.get('kind') === 'websocket') {
      const headers = { upgrade: 'websocket' };
      return new Response((await fetch(`http://${host}:${port}${path}`, { headers })).status);
    }
    const socket = connect({ hostname: host, port: Number(port) });
    const head = `GET ${path} HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nConnection: close\\r\\n\\r\\n`;
    await socket.writable.getWriter().write(new TextEncoder().encode(head));
    return new Response(socket.readable);
  },
};
"""


def race(times: int, call: Callable[[int], httpx.Response]) -> Counter[tuple[int, ...]]:
    """Make calls at the same time, and count them by status and error codes."""
    with ThreadPoolExecutor(times) as clients:
        answers = list(clients.map(call, range(times)))
    return Counter(
        (answer.status_code, *(each["code"] for each in answer.json()["errors"]))
        for answer in answers
    )


@pytest.mark.parametrize(
    ("path", "name", "refused"),
    [
        ("/d1/database", "name", (400, 7502)),
        ("/queues", "queue_name", (409, 11009)),
        ("/storage/kv/namespaces", "title", (400, 10014)),
    ],
)
def test_one_of_many_clients_creates_an_object(
    account: Account, path: str, name: str, refused: tuple[int, ...]
) -> None:
    answers = race(16, lambda _: account.http.post(path, json={name: "same"}))
    assert answers == {(200,): 1, refused: 15}


def test_a_database_is_deleted_during_queries(account: Account) -> None:
    path = f"/d1/database/{account.database()}"
    sql = "CREATE TABLE IF NOT EXISTS t (a); INSERT INTO t VALUES (1)"

    def use(number: int) -> httpx.Response:
        if number == 8:
            return account.http.delete(path)
        return account.http.post(f"{path}/query", json={"sql": sql})

    assert race(24, use).keys() <= {(200,), (404, 7404)}


def test_a_workflow_is_deleted_while_its_instances_start(account: Account) -> None:
    account.put("flow", FLOW)
    workflow = {"script_name": "flow", "class_name": "Flow"}

    def use(number: int) -> httpx.Response:
        if number % 3 == 0:
            return account.http.put("/workflows/w", json=workflow)
        if number % 3 == 1:
            return account.http.delete("/workflows/w")
        return account.http.post("/workflows/w/instances", json={})

    assert race(24, use).keys() <= {(200,), (404, 10200)}


def test_a_script_is_deleted_while_it_is_deployed(account: Account) -> None:
    script = "/workers/scripts/app"

    def use(number: int) -> httpx.Response:
        if number % 3 == 0:
            return account.http.delete(script)
        if number % 3 == 1:
            return account.http.put(script, files=upload(f"{HELLO}// {number % 2}"))
        body = {"enabled": True, "previews_enabled": False}
        return account.http.post(f"{script}/subdomain", json=body)

    assert race(24, use).keys() <= {(200,), (404, 10007)}
    account.put("app")
    assert get(account.enable("app")).text == "hello"


@pytest.mark.long
def test_many_uploads_at_once(account: Account) -> None:
    def put(number: int) -> httpx.Response:
        script = f"/workers/scripts/app{number % 32}"
        return account.http.put(script, files=upload(f"{HELLO}// {number}"))

    assert race(64, put) == {(200,): 64}
    assert len(account.call("GET", "/workers/scripts")) == 32


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Account]:
    with emulator(tmp_path) as running:
        account = Account(running)
        yield account
        account.close()


def test_a_full_disk_is_named_and_nothing_is_half_stored(own: Account) -> None:
    account, pid = own, own.running.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1_000, before[1]))
    calls = [
        lambda: account.http.post("/queues", json={"queue_name": "full"}),
        lambda: account.http.put("/workers/scripts/full", files=upload(HELLO)),
        lambda: account.http.post("/storage/kv/namespaces", json={"title": "full"}),
    ]
    for call in calls:
        message = call().json()["errors"][0]["message"]
        assert "The data folder cannot be written" in message
        assert "Free disk space" in message
    assert account.call("GET", "/queues") == []
    health = account.ask_control("GET", "/health")
    assert health.status_code == 503
    assert "cannot be written" in health.json()["problem"]
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
    for call in calls:
        assert call().status_code == 200
    assert account.control("GET", "/health")["status"] == "ready"


@pytest.mark.parametrize("kind", ["socket", "websocket"])
def test_a_worker_that_opens_sockets_needs_the_token(account: Account, kind: str) -> None:
    account.put("net", SOCKET)
    url = account.enable("net")
    for host in ("127.0.0.1", "0.0.0.0", "2130706433", "0x7f.1", "127.1", "localhost"):
        for path in ("/client/v4/user", "/emulator/requests"):
            query = {"kind": kind, "host": host, "port": account.running.port, "path": path}
            text = get(url, params=query).text
            status = text.split()[1] if kind == "socket" else text
            assert status in ("400", "403"), (host, path, text)
            assert '"success":true' not in text
