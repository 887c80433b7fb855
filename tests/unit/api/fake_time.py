"""A clock that advances only by waiting, and an API that answers from a list."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx

from flowflare.api import Client, Connector, Pace, Retries

START = 1_800_000_000.0
TOKEN = "t0" * 20


@dataclass
class FakeTime:
    """Time that passes only by `sleep`, or by what a test adds."""

    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.seconds

    def now(self) -> float:
        return START + self.seconds

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept.append(seconds)
        self.seconds += seconds

    def pace(self, *, calls: int = 1200) -> Pace:
        return Pace(self.clock, self.now, self.sleep, 5.0, Retries(jitter=lambda: 0.0), calls)


Answer = httpx.Response | Exception


def answer(status: int = 200, result: object = None, **headers: str) -> httpx.Response:
    """An answer in Cloudflare's envelope; `retry_after="3"` is the header Retry-After."""
    errors = [{"code": 971, "message": "Please wait"}] if status >= 400 else []
    envelope = {"success": status < 400, "errors": errors, "messages": [], "result": result}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json=envelope, headers=named)


@dataclass
class Api:
    """An API in this process: each request takes the next answer, then the last one repeatedly."""

    answers: Sequence[Answer | Callable[[httpx.Request], Answer]]
    time: FakeTime = field(default_factory=FakeTime)
    requests: list[str] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)

    def connector(self, *, calls: int = 1200) -> Connector:
        return Connector(
            self.time.pace(calls=calls), transport=lambda: httpx.MockTransport(self._answer)
        )

    def client(self, *, calls: int = 1200) -> Client:
        return self.connector(calls=calls).open("http://127.0.0.1:1/client/v4", TOKEN)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(f"{request.method} {request.url.path.removeprefix('/client/v4')}")
        self.moments.append(self.time.clock())
        given = self.answers[min(len(self.requests), len(self.answers)) - 1]
        if callable(given):
            given = given(request)
        if isinstance(given, Exception):
            raise given
        # A response is read once; the last one is given again and again.
        return httpx.Response(given.status_code, content=given.content, headers=given.headers)
