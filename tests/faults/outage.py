"""Calls of a run, and the troubles that they are made to meet."""

import fnmatch
import re
import ssl
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from flowflare.api import Connector, Pace, Retries
from tests.faults.shop import Shop

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
#: How often a call is sent before it is given up, where a trouble lasts.
ATTEMPTS = 3
#: And where it passes: calls of a path that run side by side may meet each other's.
PATIENT = 12
#: Real seconds after which a call that is never answered counts as lost.
SHORT = 0.05
#: The same for all other calls, in case one of them is never answered instead.
LONG = 30.0


@dataclass(frozen=True)
class Call:
    """One call of a run: the `nth` of its method and path, ids in the path left open."""

    method: str
    path: str
    nth: int

    def __str__(self) -> str:
        return f"{self.method} {self.path} #{self.nth}"


def calls_of(shop: Shop, since: int = 0) -> tuple[Call, ...]:
    """The calls that a run made, in their order."""
    seen: Counter[tuple[str, str]] = Counter()
    calls = []
    for request in shop.account.requests(since):
        path = _UUID.sub("*", request["path"].replace(shop.account.identity, "*"))
        seen[request["method"], path] += 1
        calls.append(Call(request["method"], path, seen[request["method"], path]))
    return tuple(calls)


@dataclass(frozen=True)
class Trouble:
    """What a call meets.

    Attributes:
        name: its name in reports.
        action: the fault rule's action.
        silent: whether no answer comes, so that the client has to give up.
    """

    name: str
    action: Mapping[str, Any]
    silent: bool = False


def _answer(status: int, code: int, text: str, **headers: str) -> dict[str, Any]:
    return {
        "kind": "answer",
        "status": status,
        "code": code,
        "message": text,
        "headers": headers,
    }


TOO_MANY = (429, 971, "Please wait and consider throttling your request speed")
TROUBLES = (
    Trouble("429", _answer(*TOO_MANY)),
    Trouble("500", _answer(500, 10013, "An unknown error has occurred.")),
    Trouble("time-out", {"kind": "silence"}, silent=True),
    Trouble("cut", {"kind": "cut"}),
    Trouble("lost", {"kind": "lose"}),
)
MORE = (
    Trouble("429 Retry-After", _answer(*TOO_MANY, **{"Retry-After": "7"})),
    Trouble("lost by a time-out", {"kind": "silence", "done": True}, silent=True),
)


@dataclass
class Waits:
    """A clock that only waiting moves on."""

    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    def api(self, hurried: "Hurried | None" = None, *, attempts: int = ATTEMPTS) -> Connector:
        """A connector that waits on this clock."""
        retries = Retries(attempts=attempts)
        pace = Pace(clock=self.clock, sleep=self.sleep, timeout=LONG, retries=retries)
        return Connector(pace, transport=hurried.transport if hurried else None)


@dataclass
class Hurried:
    """Gives the calls that are never answered a short time-out, and no others."""

    silent: Sequence[Call]
    once: bool
    _seen: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def transport(self) -> httpx.BaseTransport:
        return _Transport(self)

    def hurry(self, request: httpx.Request) -> None:
        path = request.url.path.removeprefix("/client/v4")
        for call in self.silent:
            if call.method != request.method or not fnmatch.fnmatchcase(path, call.path):
                continue
            with self._lock:
                self._seen[str(call)] += 1
                seen = self._seen[str(call)]
            if seen == call.nth or (seen > call.nth and not self.once):
                request.extensions["timeout"] = {**request.extensions["timeout"], "read": SHORT}


class _Transport(httpx.HTTPTransport):
    def __init__(self, hurried: Hurried) -> None:
        # Without certificates, which take long to read: nothing here speaks TLS.
        super().__init__(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        self._hurried = hurried

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._hurried.hurry(request)
        return super().handle_request(request)


@dataclass(frozen=True)
class Outage:
    """Troubles that stand: a connector that meets them, and how many calls have."""

    api: Connector
    waits: Waits
    rules: Sequence[Any]

    def met(self) -> list[int]:
        """How many calls have met each of the troubles."""
        return [rule.fired() for rule in self.rules]


@contextmanager
def outage(shop: Shop, trouble: Trouble, *calls: Call, once: bool = False) -> Iterator[Outage]:
    """Lets calls meet a trouble: each once, or whenever it is sent."""
    waits = Waits()
    hurried = Hurried(calls, once) if trouble.silent else None
    times = 1 if once else 1000
    with ExitStack() as stack:
        rules = [
            stack.enter_context(
                shop.account.fault(
                    trouble.action, method=call.method, path=call.path, nth=call.nth, times=times
                )
            )
            for call in calls
        ]
        api = waits.api(hurried, attempts=PATIENT if once else ATTEMPTS)
        yield Outage(api, waits, rules)
