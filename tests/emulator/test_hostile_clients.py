"""Clients that send bytes slowly, endlessly or without a token, and Workers that attack the API."""

import os
import socket
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from flowflare.emulator.process import Running
from flowflare.emulator.server import HEADERS_SECONDS
from flowflare.emulator.unread import MOST_DROPPED
from tests.emulator.emulated import Account, bearer, get
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.workerd

MEGABYTE = 1024 * 1024
ATTACKER = """
const TRIES = {
  api: (port) => fetch(`http://127.0.0.1:${port}/client/v4/user`),
  localhost: (port) => fetch(`http://localhost:${port}/client/v4/user`),
  control: (port) => fetch(`http://127.0.0.1:${port}/emulator/requests`),
  fault: (port) => fetch(`http://127.0.0.1:${port}/emulator/faults`, {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: '{"action": {"kind": "hold"}}' }),
  token: (port) => fetch(`http://127.0.0.1:${port}/client/v4/user`, {
    headers: { authorization: `Bearer ${'0'.repeat(40)}` } }),
  host: (port) => fetch(`http://127.0.0.1:${port}/emulator/requests`, {
    headers: { host: `127.0.0.1:${port}`, 'x-forwarded-host': 'localhost' } }),
  redirect: (port, own) => fetch(`${own}/redirect?port=${port}`, { redirect: 'follow' }),
  service: (port) => env.OTHER.fetch(`http://127.0.0.1:${port}/emulator/requests?port=${port}`),
};
let env;
export default {
  async fetch(request, bindings) {
    env = bindings;
    const url = new URL(request.url), port = url.searchParams.get('port');
    if (url.pathname === '/redirect')
      return Response.redirect(`http://127.0.0.1:${port}/emulator/requests`, 302);
    const answer = await TRIES[url.searchParams.get('attempt')](port, url.origin);
    return Response.json({ status: answer.status, text: await answer.text() });
  },
};
"""
RELAY = """
export default {
  fetch: (request) => fetch(request),
};
"""


@pytest.mark.parametrize("kind", ["a wrong token", "no token", "another host", "a fault"])
def test_an_early_refusal_reaches_the_client(account: Account, kind: str) -> None:
    """The connection is closed only after the body was read, so no write fails before that."""
    headers = {
        "a wrong token": bearer("0" * 40),
        "another host": {**bearer(account.running.token), "Host": "attacker.example"},
        "a fault": bearer(account.running.token),
    }.get(kind, {})
    if kind == "a fault":
        rule = {"action": {"kind": "answer", "status": 413}, "account": account.id}
        account.control("POST", "/faults", json=rule)
    url = f"{account.running.base_url}/accounts/{account.id}/workers/scripts/a"
    expected = {"no token": 400, "a fault": 413}.get(kind, 403)
    with httpx.Client(timeout=PATIENCE) as client:
        for _ in range(3):
            answer = client.put(url, headers=headers, content=b"x" * (20 * MEGABYTE))
            assert answer.status_code == expected
    account.control("DELETE", "/faults")


@pytest.mark.long
def test_a_body_of_600_mb_without_a_token_is_not_read(cloud: Running) -> None:
    before = _memory(cloud.pid)
    with socket.create_connection(("127.0.0.1", cloud.port), timeout=PATIENCE) as client:
        size = 600 * MEGABYTE
        head = f"PUT /client/v4/user HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {size}"
        client.sendall(f"{head}\r\n\r\n".encode())
        sent = 0
        with suppress(ConnectionError):
            while sent < size:
                sent += client.send(b"x" * MEGABYTE)
    assert sent < 2 * MOST_DROPPED
    assert _memory(cloud.pid) - before < 50 * MEGABYTE


@pytest.mark.long
def test_the_headers_of_a_request_have_a_time_limit(cloud: Running) -> None:
    """A client that opens connections and sends no request keeps none of them."""
    with socket.create_connection(("127.0.0.1", cloud.port), timeout=PATIENCE) as client:
        client.sendall(b"GET /client/v4/user HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
        began = time.monotonic()
        with suppress(ConnectionError):
            while client.recv(1_000):
                pass
        assert time.monotonic() - began < 2 * HEADERS_SECONDS


@pytest.mark.parametrize(
    "target",
    [b"/client/v4/user?\xff", b"/client/v4/\xff", b"/client/v4/%ff", b"/client/v4/%00", b"/\x7f"],
)
def test_bytes_that_are_not_text_are_answered(cloud: Running, target: bytes) -> None:
    with socket.create_connection(("127.0.0.1", cloud.port), timeout=PATIENCE) as client:
        token = cloud.token.encode()
        head = b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" % target
        client.sendall(head + b"Authorization: Bearer %s\r\n\r\n" % token)
        answer = b""
        while part := client.recv(10_000):
            answer += part
    assert answer.startswith(b"HTTP/1.1 ")
    assert not answer.startswith(b"HTTP/1.1 500")


def test_a_worker_reaches_neither_api_nor_control(account: Account) -> None:
    account.put("relay", RELAY)
    other = {"type": "service", "name": "OTHER", "service": "relay"}
    account.put("attacker", ATTACKER, bindings=[other])
    url = account.enable("attacker")
    for attempt in ("api", "localhost", "control", "fault", "token", "host", "redirect", "service"):
        query = {"attempt": attempt, "port": account.running.port}
        answer = get(url, params=query)
        assert answer.status_code == 200, answer.text
        assert answer.json()["status"] in (400, 403), (attempt, answer.text)
        assert '"success":true' not in answer.json()["text"]
    assert account.control("GET", "/faults") == []


def _memory(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
