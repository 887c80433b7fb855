"""Send requests to one HTTP server over persistent connections, and measure the responses.

It uses asyncio and h11 (which httpx also uses): a request costs a tenth of one through httpx, whose
own time would otherwise dominate the measurement.
"""

import asyncio
import json
import ssl
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import h11

USAGE_HEADER = b"x-bench-d1"
READ_BYTES = 64 * 1024


@dataclass(frozen=True)
class Target:
    """A running service: its address and its API key."""

    url: str
    key: str


@dataclass(frozen=True)
class Call:
    """A POST request with its JSON body."""

    path: str
    body: dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """A response: status, body, and the D1 usage if the service reports it."""

    status: int
    body: bytes
    usage: bytes | None

    def json(self) -> Any:
        """Parse the body."""
        return json.loads(self.body)


class Connection:
    """A persistent HTTP/1.1 connection, for use in `async with`."""

    def __init__(self, target: Target) -> None:
        parts = urlsplit(target.url)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._address = (parts.hostname or "", parts.port or (443 if self._tls else 80))
        self._headers = [
            ("Host", parts.netloc),
            ("Content-Type", "application/json"),
            ("X-API-Key", target.key),
        ]

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(*self._address, ssl=self._tls)
        self._protocol = h11.Connection(h11.CLIENT)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()

    async def post(self, call: Call) -> Answer:
        """Send the request and wait for the whole response."""
        body = json.dumps(call.body).encode()
        headers = [*self._headers, ("Content-Length", str(len(body)))]
        request = h11.Request(method="POST", target=call.path, headers=headers)
        events: tuple[h11.Event, ...] = (request, h11.Data(data=body), h11.EndOfMessage())
        self._writer.write(b"".join(self._protocol.send(event) or b"" for event in events))
        status, usage, chunks = 0, None, []
        while True:
            event = self._protocol.next_event()
            if event is h11.NEED_DATA:
                self._protocol.receive_data(await self._reader.read(READ_BYTES))
            elif isinstance(event, h11.Response):
                status = event.status_code
                usage = dict(event.headers).get(USAGE_HEADER)
            elif isinstance(event, h11.Data):
                chunks.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                self._protocol.start_next_cycle()
                return Answer(status, b"".join(chunks), usage)
            else:
                raise ConnectionError("the service closed the connection")


@dataclass
class Measured:
    """The results of a series of requests."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    usage: Counter[str] = field(default_factory=Counter)
    answers: list[Answer] = field(default_factory=list)

    def note(self, answer: Answer, latency: float, *, keep: bool) -> None:
        """Count a response, and store it if it will be read afterwards."""
        self.latencies.append(latency)
        self.statuses[answer.status] += 1
        if answer.usage is not None:
            self.usage.update(json.loads(answer.usage))
        if keep:
            self.answers.append(answer)

    def figures(self) -> dict[str, Any]:
        """Return the figures, without a rate if a request failed, because failing is fast."""
        calls = len(self.latencies)
        figures: dict[str, Any] = {"calls": calls, "seconds": round(self.seconds, 3)}
        if set(self.statuses) == {200}:
            centiles = statistics.quantiles(self.latencies, n=100) if calls > 1 else []
            figures["per_second"] = round(calls / self.seconds, 1)
            figures["latency_ms"] = {
                f"p{at}": round(centiles[at - 1] * 1000, 2) for at in (50, 95, 99) if centiles
            }
        else:
            figures["statuses"] = dict(self.statuses)
        if self.usage:
            figures["per_call"] = {name: n / calls for name, n in sorted(self.usage.items())}
        return figures


async def drive(
    target: Target,
    calls: Iterable[Call],
    *,
    connections: int,
    max_seconds: float,
    keep: bool = False,
) -> Measured:
    """Send all requests: each connection sends the next request after the last response.

    Args:
        target: the service.
        calls: the requests, in order except for concurrent ones.
        connections: the number of concurrent requests.
        max_seconds: no request starts after this time.
        keep: whether to store the responses.

    Returns:
        rate, latencies and responses of the requests that were sent.

    Raises:
        ConnectionError: the service cannot be reached, or closed a connection.
        OSError: the same.
    """
    measured = Measured()
    remaining = iter(calls)
    async with asyncio.TaskGroup() as group:
        opened = [group.create_task(_open(target)) for _ in range(connections)]
    lines = [task.result() for task in opened]
    began = time.perf_counter()
    try:
        async with asyncio.TaskGroup() as group:
            for line in lines:
                group.create_task(_serve(line, remaining, measured, began + max_seconds, keep))
        measured.seconds = time.perf_counter() - began
    finally:
        for line in lines:
            await line.__aexit__(None, None, None)
    return measured


async def _open(target: Target) -> Connection:
    return await Connection(target).__aenter__()


async def _serve(
    line: Connection,
    calls: Iterator[Call],
    measured: Measured,
    deadline: float,
    keep: bool,  # noqa: FBT001
) -> None:
    for call in calls:
        began = time.perf_counter()
        if began > deadline:
            return
        answer = await line.post(call)
        measured.note(answer, time.perf_counter() - began, keep=keep)
