"""The forwarder over HTTP: it forwards calls byte for byte, and reports what goes wrong."""

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from flowflare.errors import EngineError
from flowflare.fleet.forwarder.connector import ForwardedConnector
from flowflare.fleet.forwarder.limit import CallLimit
from flowflare.fleet.forwarder.server import Forwarder
from flowflare.fleet.forwarder.state import BudgetEvent
from tests.support.waiting import PATIENCE, wait_until

SECRET = "Bearer a-token-that-must-stay-secret-0123456789"
Answer = Callable[[socket.socket, bytes], None]


@dataclass
class Upstream:
    """An API that records each request, and responds with a given function."""

    listener: socket.socket
    answer: Answer
    requests: list[bytes] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/client/v4"

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = self.listener.accept()
                threading.Thread(target=self._take, args=(line,), daemon=True).start()

    def _take(self, line: socket.socket) -> None:
        line.settimeout(PATIENCE)
        with line, contextlib.suppress(OSError):
            data = b""
            while chunk := line.recv(65536):
                data += chunk
                if _is_whole(data):
                    self.requests.append(data)
                    self.answer(line, data)
                    data = b""
        self.closed.set()


def _is_whole(data: bytes) -> bool:
    head, found, body = data.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head.lower():
        return body.endswith(b"0\r\n\r\n")
    for row in head.lower().split(b"\r\n"):
        if row.startswith(b"content-length:"):
            return len(body) >= int(row.partition(b":")[2])
    return bool(found)


def say(body: bytes = b"{}", *headers: bytes, status: bytes = b"200 OK") -> Answer:
    rows = [b"HTTP/1.1 " + status, b"content-length: %d" % len(body), *headers, b"", body]
    return lambda line, _: line.sendall(b"\r\n".join(rows))


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        served = Upstream(listener, say())
        thread = threading.Thread(target=served.serve, daemon=True)
        thread.start()
        yield served
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.fixture
def forwarder() -> Iterator[Forwarder]:
    with Forwarder() as running:
        yield running


def get(url: str) -> httpx.Response:
    return httpx.get(url, timeout=PATIENCE)


def raw(forwarder: Forwarder, upstream: Upstream, request: bytes) -> bytes:
    """Send bytes to the forwarder; `@` stands for the base URL's path."""
    url = httpx.URL(forwarder.base_url("acme", upstream.base_url))
    with socket.create_connection((url.host, url.port or 0), timeout=PATIENCE) as line:
        line.sendall(request.replace(b"@", url.raw_path, 1))
        data = b""
        while chunk := line.recv(65536):
            data += chunk
    return data


def test_path_query_headers_and_body_are_forwarded_byte_for_byte(
    forwarder: Forwarder, upstream: Upstream
) -> None:
    rest = b"/a%2fb/./c//d%7E~;x?q=%20+&cursor=%3D%3D&q=2"
    body = b'--B\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{"a":\xff}\r\n--B--\r\n'
    answer = raw(
        forwarder,
        upstream,
        b"POST @" + rest + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        b"Authorization: " + SECRET.encode() + b"\r\nContent-Type: multipart/form-data; boundary=B"
        b"\r\nX-Double: 1\r\nX-Double: 2\r\nContent-Length: %d\r\n\r\n" % len(body) + body,
    )
    assert answer.startswith(b"HTTP/1.1 200 OK")
    [request] = upstream.requests
    head, _, sent = request.partition(b"\r\n\r\n")
    assert sent == body
    first, *rows = head.split(b"\r\n")
    assert first == b"POST /client/v4" + rest + b" HTTP/1.1"
    named = [(row.partition(b": ")[0].lower(), row.partition(b": ")[2]) for row in rows]
    assert sorted(named) == [
        (b"authorization", SECRET.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"content-type", b"multipart/form-data; boundary=B"),
        (b"host", upstream.base_url.removeprefix("http://").removesuffix("/client/v4").encode()),
        (b"x-double", b"1"),
        (b"x-double", b"2"),
    ]


def test_responses_are_returned_unchanged(forwarder: Forwarder, upstream: Upstream) -> None:
    """This includes absolute URLs, an encoding, several cookies and an unusual status."""
    body = b'{"next": "https://api.cloudflare.com/client/v4/x?page=2", "z": "\x1f\x8b"}'
    rows = (b"set-cookie: a=1", b"set-cookie: b=2", b"content-encoding: made-up", b"server: cf")
    upstream.answer = say(body, *rows, b'ratelimit: "default";r=5;t=3', status=b"418 Teapot")
    answer = raw(forwarder, upstream, b"GET @/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    head, _, sent = answer.partition(b"\r\n\r\n")
    assert sent == body
    status, *found = head.split(b"\r\n")
    assert status.startswith(b"HTTP/1.1 418")
    wanted = [*rows, b'ratelimit: "default";r=5;t=3', b"content-length: %d" % len(body)]
    assert sorted(found) == sorted([*wanted, b"Connection: close"])


def test_a_body_of_unknown_length_is_streamed_both_ways(
    forwarder: Forwarder, upstream: Upstream
) -> None:
    def echo(line: socket.socket, request: bytes) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n")
        time.sleep(0.05)
        line.sendall(b"1\r\n%s\r\n0\r\n\r\n" % (b"Y" if b"X" * 100_000 in request else b"N"))

    upstream.answer = echo

    def chunks() -> Iterator[bytes]:
        yield b"X" * 100_000

    answer = httpx.put(forwarder.base_url("acme", upstream.base_url) + "/x", content=chunks())
    # httpx sends the body as one chunk; the forwarder sends a chunk for each part that it reads.
    assert answer.text in ("abcY", "abcN")
    body = upstream.requests[0].partition(b"\r\n\r\n")[2]
    assert body.count(b"X") == 100_000


def test_a_client_that_disconnects_ends_the_call_to_the_api(
    forwarder: Forwarder, upstream: Upstream
) -> None:
    upstream.answer = lambda line, _: None
    url = httpx.URL(forwarder.base_url("acme", upstream.base_url))
    with socket.create_connection((url.host, url.port or 0), timeout=PATIENCE) as line:
        line.sendall(b"GET " + url.raw_path + b"/x HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_until(lambda: upstream.requests)
    assert upstream.closed.wait(60), "the connection stays open until the timeout of 120 s"
    # The connection is closed first, and the count of calls in progress changes a moment later.
    wait_until(lambda: forwarder.state().sending == 0)


def break_off(line: socket.socket, _: bytes) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
    line.shutdown(socket.SHUT_RDWR)


def test_a_response_that_breaks_off_stays_incomplete(
    forwarder: Forwarder, upstream: Upstream
) -> None:
    upstream.answer = break_off
    with pytest.raises(httpx.RemoteProtocolError):
        get(forwarder.base_url("acme", upstream.base_url) + "/x")


def test_a_missing_response_is_reported_in_the_envelope_with_its_cause(
    forwarder: Forwarder, upstream: Upstream
) -> None:
    account = "0123456789abcdef" * 2
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    down = forwarder.base_url("acme", f"http://127.0.0.1:{port}/client/v4")
    answer = httpx.post(f"{down}/accounts/{account}/d1/database?name=secret", json={})
    assert answer.status_code == 502
    envelope = answer.json()
    assert (envelope["success"], envelope["result"], envelope["messages"]) == (False, None, [])
    [error] = envelope["errors"]
    assert error["code"] == 502
    assert f"no answer from 127.0.0.1:{port}: " in error["message"]
    assert error["message"].endswith("(POST /accounts/{id}/d1/database)")

    upstream.answer = lambda line, _: line.shutdown(socket.SHUT_RDWR)
    cut = get(forwarder.base_url("acme", upstream.base_url) + "/x")
    assert (cut.status_code, "disconnected" in cut.text) == (502, True)
    upstream.answer = lambda line, _: None
    with Forwarder(timeout=httpx.Timeout(PATIENCE, read=0.2)) as hasty:
        late = get(hasty.base_url("acme", upstream.base_url) + "/x")
    assert (late.status_code, "ReadTimeout" in late.text) == (504, True)


def test_only_calls_of_this_run_are_forwarded(forwarder: Forwarder, upstream: Upstream) -> None:
    good = forwarder.base_url("acme", upstream.base_url)
    assert good.startswith("http://127.0.0.1:")
    token = good.split("/")[3]
    assert len(token) >= 32
    other = get(good.replace(token, "x" * len(token)) + "/x")
    outside = get(good.removesuffix("/client/v4") + "/emulator/faults")
    assert [other.status_code, outside.status_code] == [403, 403]
    assert "does not belong to that run" in other.json()["errors"][0]["message"]
    assert upstream.requests == []
    with Forwarder() as second:
        assert second.address != forwarder.address
    with pytest.raises(httpx.ConnectError):
        httpx.get(second.address)


def test_the_forwarder_logs_no_secrets(
    upstream: Upstream, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG), Forwarder() as forwarder:
        url = forwarder.base_url("acme", upstream.base_url)
        for answer in (say(), break_off):
            upstream.answer = answer
            with contextlib.suppress(httpx.HTTPError), httpx.Client() as client:
                client.get(f"{url}/x?key=hidden-query", headers={"Authorization": SECRET})
        token = forwarder.address.rpartition("/")[2]
    ours = [record for record in caplog.records if record.threadName == "forwarder"]
    written = "".join([*(record.getMessage() for record in ours), *capfd.readouterr()])
    assert SECRET not in written
    assert "hidden-query" not in written
    assert token not in written


def test_calls_are_counted_and_waits_are_forecast(upstream: Upstream) -> None:
    limit = CallLimit(calls=10, window=60, reserve=2)
    with Forwarder(limit_of=lambda _: limit) as forwarder:
        assert (forwarder.state().left, forwarder.forecast(5)) == (8, 0)
        since = time.monotonic()
        for stack, method in (("acme", "GET"), ("acme", "POST"), ("beta", "DELETE")):
            url = forwarder.base_url(stack, upstream.base_url) + "/x"
            httpx.request(method, url, timeout=PATIENCE)
        assert forwarder.counts() == {"acme": 2, "beta": 1}
        assert (forwarder.tally()["acme"].reads, forwarder.tally()["acme"].writes) == (1, 1)
        state = forwarder.state()
        assert (state.left, state.limit, state.waiting, state.seconds) == (5, 8, {}, 0)
        assert forwarder.forecast(5) == 0
        assert 60 - (time.monotonic() - since) <= forwarder.forecast(6) + 0.1 <= 60.2
        assert forwarder.forecast(8 * 100) == pytest.approx(60 * 100, abs=61)


def test_the_end_of_a_run_answers_waiting_calls(upstream: Upstream) -> None:
    limit = CallLimit(calls=1, window=300, reserve=0)
    outcome: list[httpx.Response] = []
    events: list[BudgetEvent] = []
    with Forwarder(limit_of=lambda _: limit, on_event=events.append) as forwarder:
        url = forwarder.base_url("acme", upstream.base_url) + "/x"
        since = time.monotonic()
        get(url)
        waiting = threading.Thread(target=lambda: outcome.append(get(url)))
        waiting.start()
        state = wait_until(forwarder.state, lambda state: state.waiting)
        assert (state.waiting, state.left) == ({"acme": 1}, 0)
        assert 300 - (time.monotonic() - since) <= state.seconds + 0.1 <= 300.2
    waiting.join()
    assert time.monotonic() - since < 300, "it waited for its turn"
    assert outcome[0].status_code == 503
    assert "has ended" in outcome[0].text
    assert [event.kind for event in events][:1] == ["waiting"]


def test_the_environments_proxy_is_not_used_for_this_machine(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with Forwarder() as forwarder:
        connector = ForwardedConnector(forwarder.address, "acme")
        token = SECRET.removeprefix("Bearer ")
        assert connector.open(upstream.base_url, token).call("GET", "/x") == {}


def test_a_forwarder_that_does_not_start_reports_the_reason_at_once() -> None:
    """Its thread ends before it listens, and the 20 s for a start are not waited for."""
    unusable: Any = ()
    with (
        pytest.raises(EngineError, match="did not start: IndexError"),
        Forwarder(timeout=unusable),
    ):
        pass
