"""The requests of a run, and the troubles that are injected into them."""

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
#: The attempts of a call if a trouble lasts.
ATTEMPTS = 3
#: The attempts if a trouble passes: parallel calls of a path may get each other's troubles.
PATIENT = 12
#: The time-out of a call without a response, in real seconds.
SHORT = 0.05
#: The time-out of all other calls, in case one of them gets no response instead.
LONG = 30.0


@dataclass(frozen=True)
class Call:
    """One call of a run: the `nth` of its method and path, with `*` for IDs in the path."""

    method: str
    path: str
    nth: int

    def __str__(self) -> str:
        return f"{self.method} {self.path} #{self.nth}"


def list_calls(shop: Shop, since: int = 0) -> tuple[Call, ...]:
    """List the calls that a run made, in order."""
    seen: Counter[tuple[str, str]] = Counter()
    calls = []
    for request in shop.account.list_requests(since):
        path = _UUID.sub("*", request["path"].replace(shop.account.identity, "*"))
        seen[request["method"], path] += 1
        calls.append(Call(request["method"], path, seen[request["method"], path]))
    return tuple(calls)


@dataclass(frozen=True)
class Trouble:
    """A fault that a call gets.

    Attributes:
        name: its name in reports.
        action: the fault rule's action.
        silent: whether the call gets no response, so that the client must time out.
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
    """A clock that only advances while a client waits."""

    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    def api(self, hurried: "Hurried | None" = None, *, attempts: int = ATTEMPTS) -> Connector:
        """Make a connector that uses this clock."""
        retries = Retries(attempts=attempts)
        pace = Pace(clock=self.clock, sleep=self.sleep, timeout=LONG, retries=retries)
        return Connector(pace, transport=hurried.transport if hurried else None)


@dataclass
class Hurried:
    """Sets a short time-out for the calls that get no response, and for no others."""

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
        # Without certificates, which are slow to read, because no test uses TLS.
        super().__init__(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        self._hurried = hurried

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._hurried.hurry(request)
        return super().handle_request(request)


@dataclass(frozen=True)
class Outage:
    """Active fault rules, and a connector whose calls get them."""

    api: Connector
    waits: Waits
    rules: Sequence[Any]

    def met(self) -> list[int]:
        """Return how many calls each rule has affected."""
        return [rule.count_fired() for rule in self.rules]


@contextmanager
def outage(shop: Shop, trouble: Trouble, *calls: Call, once: bool = False) -> Iterator[Outage]:
    """Inject a trouble into calls: once each, or at each attempt."""
    waits = Waits()
    hurried = Hurried(calls, once) if trouble.silent else None
    times = 1 if once else 1000
    with ExitStack() as stack:
        rules = [
            stack.enter_context(
                shop.account.inject_fault(
                    trouble.action, method=call.method, path=call.path, nth=call.nth, times=times
                )
            )
            for call in calls
        ]
        api = waits.api(hurried, attempts=PATIENT if once else ATTEMPTS)
        yield Outage(api, waits, rules)
