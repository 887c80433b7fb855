"""An event loop in which waiting takes no time, and an API with Cloudflare's rate limit."""

import asyncio
import json
import selectors
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from flowflare.emulator.rate_limit import Limit as ApiLimit
from flowflare.emulator.rate_limit import RateLimit
from flowflare.fleet.forwarder.app import App
from flowflare.fleet.forwarder.limit import CallLimit
from flowflare.fleet.forwarder.state import OnBudgetEvent

T = TypeVar("T")
UPSTREAM = "https://api.cloudflare.com/client/v4"


class _Selector(selectors.DefaultSelector):
    """Advance the clock instead of waiting."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        found = super().select(0)
        if not found:
            assert timeout is not None, "all tasks wait, and no event will come"
            self.now += max(timeout, 0.0)
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


@dataclass
class Account:
    """An API with latency; its rate limit is the emulator's, which has its own tests."""

    calls: int = 1200
    latency: float = 0.2
    moments: list[float] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    refused: int = 0
    rate: RateLimit | None = None

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        loop = asyncio.get_running_loop()
        if self.rate is None:
            self.rate = RateLimit(loop.time)
            self.rate.set(ApiLimit(calls=self.calls))
        await asyncio.sleep(self.latency / 2)
        verdict = self.rate.count("token")
        self.moments.append(loop.time())
        self.asked.append(request.extensions["target"].decode())
        self.refused += verdict.refused
        await asyncio.sleep(self.latency / 2)
        status = 429 if verdict.refused else 200
        return httpx.Response(status, headers=verdict.headers, stream=httpx.ByteStream(b"{}"))

    def machine(self, limit: CallLimit | None = None, on_event: OnBudgetEvent | None = None) -> App:
        """Make a forwarder for this account."""
        used = limit or CallLimit()
        return App("token", self.client(), lambda _: used, on_event)


@dataclass
class ClientResponse:
    """The response that a client got."""

    status: int
    headers: dict[str, str]
    body: bytes

    def error(self) -> str:
        message: str = json.loads(self.body)["errors"][0]["message"]
        return message


async def ask(
    app: App,
    stack: str = "acme",
    path: str = "/accounts/a/x",
    *,
    method: str = "GET",
    gone_after: float | None = None,
    **headers: str,
) -> ClientResponse:
    """Send a call through a forwarder in this process, as uvicorn would."""
    sent: list[dict[str, Any]] = []
    first = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if first:
            return first.pop()
        await asyncio.sleep(1_000_000 if gone_after is None else gone_after)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    scope = {
        "type": "http",
        "method": method,
        "raw_path": f"/token/{stack}/cloudflare/client/v4{path}".encode(),
        "query_string": b"",
        "headers": [
            (name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()
        ],
    }
    await app(scope, receive, send)
    if not sent:
        return ClientResponse(0, {}, b"")
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return ClientResponse(
        sent[0]["status"], found, b"".join(part.get("body", b"") for part in sent[1:])
    )
