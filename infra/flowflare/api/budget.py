"""Keep one token's calls below Cloudflare's limit, for every client of this process.

Cloudflare allows a user or an account token 1,200 calls in 5 minutes and blocks every call for the
next 5 minutes after that (fundamentals/api/reference/limits). Responses report what all machines
have left: `Ratelimit: "default";r=50;t=30` means fifty calls for the next thirty seconds.
"""

import math
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

CALLS: Final = 1200
WINDOW: Final = 300.0
#: Waits of at least so many seconds are reported.
NOTICED: Final = 2.0
OnWait = Callable[[float], None]
_POLICY: Final = re.compile(r'\s*"?([\w.-]+)"?\s*((?:;[^,]*)*)')
# A shorter wait would not advance a clock that counts in seconds.
_LEAST: Final = 0.001
# Seconds after which a response may have arrived.
_ANSWER: Final = 0.05


@dataclass
class _Left:
    """The calls that one of the API's policies still allows, until a time."""

    calls: int
    until: float


@dataclass(frozen=True)
class Others:
    """The other users of a token.

    Attributes:
        reserve: how many calls of a window are left to people at the dashboard. If a response
            reports another limit, the same share of that limit is left.
        machines: how many machines may run without knowing of each other. Before the next response
            reports what the others used, only this fraction of the remaining calls is sent.
    """

    reserve: int = 0
    machines: int = 1


NOBODY: Final = Others()


class Budget:
    """The calls of one token.

    A call counts from before it is sent until one window after its end. The API received it in
    between, so the API never counts more than the limit in one window either.

    Args:
        clock: returns monotonic seconds.
        calls: how many calls a window may have.
        window: the window in seconds.
        others: who else makes calls.
        on_wait: receives the seconds of a noticeable wait, once for all calls that wait.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        *,
        calls: int = CALLS,
        window: float = WINDOW,
        others: Others = NOBODY,
        on_wait: OnWait | None = None,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._calls = max(1, calls - others.reserve)
        self._reserved_share = others.reserve / min(calls, CALLS)
        self._window = window
        self._machines = others.machines
        self._on_wait = on_wait
        self._reported_until = -math.inf
        self._lock = threading.Lock()
        self._open = 0
        self._ended: deque[float] = deque()
        self._left: dict[str, _Left] = {}
        self._paused = -math.inf

    def begin(self) -> None:
        """Wait until a call may be sent, and count it."""
        while wait := self.attempt():
            self.tell(wait)
            self._sleep(max(wait, _LEAST))

    def attempt(self) -> float:
        """Count a call if it may be sent now.

        Returns:
            0 if the call was counted, else the seconds until the next attempt makes sense.
        """
        with self._lock:
            wait = self._wait(self._clock())
            if wait <= 0:
                self._open += 1
                for left in self._left.values():
                    left.calls -= 1
            return wait

    def tell(self, seconds: float) -> None:
        """Report a wait if it is long and was not reported yet."""
        until = self._clock() + seconds
        with self._lock:
            if self._on_wait is None or seconds < NOTICED or until < self._reported_until + NOTICED:
                return
            self._reported_until = until
        self._on_wait(seconds)

    def end(self, headers: Mapping[str, str] | None = None) -> None:
        """Count the end of a call, and read the limit from the response's headers, if any."""
        with self._lock:
            self._open -= 1
            now = self._clock()
            self._ended.append(now)
            received = headers or {}
            quotas = read_quotas(received.get("ratelimit-policy", ""))
            for name, calls, seconds in read_policies(received.get("ratelimit", "")):
                reserved = int(quotas.get(name, CALLS) * self._reserved_share)
                usable = calls - reserved - self._open
                self._record(name, usable, now + min(seconds, self._window), now)

    def pause(self, seconds: float) -> None:
        """Delay every call as long as the API asked for, but no longer than a block lasts."""
        with self._lock:
            self._paused = max(self._paused, self._clock() + min(seconds, self._window))

    def count_remaining(self) -> int:
        """Return how many calls could be sent now; calls in flight count as sent."""
        with self._lock:
            now = self._clock()
            if self._paused > now:
                return 0
            self._forget(now)
            own = self._calls - self._open - len(self._ended)
            return max(0, min([own, *(left.calls for left in self._left.values())]))

    def forecast(self, calls: int) -> float:
        """Return the seconds until the limit allows a number of further calls.

        What other clients use after the current window is unknown and not included.
        """
        if calls <= 0:
            return 0.0
        with self._lock:
            now = self._clock()
            self._forget(now)
            first = max(0.0, self._paused - now)
            for left in self._left.values():
                if left.calls < calls:
                    first = max(first, left.until - now)
            # Each call takes the place of the call that is one window's limit before it.
            windows, place = divmod(calls - 1, self._calls)
            over = self._open + len(self._ended) + place + 1 - self._calls
            if over > len(self._ended):
                return max(first, (windows + 1) * self._window)
            wait = self._ended[over - 1] + self._window - now if over > 0 else 0.0
            return max(first, wait + windows * self._window)

    def _record(self, name: str, calls: int, until: float, now: float) -> None:
        known = self._left.get(name)
        if known is not None and known.until > now:
            # Responses can arrive out of order: an older one must not restore calls.
            calls = min(calls, known.calls)
        self._left[name] = _Left(calls, until)

    def _wait(self, now: float) -> float:
        """Return the seconds until a call may be sent; 0 means now."""
        self._forget(now)
        waits = [left.until - now for left in self._left.values() if left.calls <= 0]
        waits.append(self._paused - now)
        waits += [_ANSWER for left in self._left.values() if self._is_bold(left)]
        if self._open + len(self._ended) >= self._calls:
            waits.append(self._ended[0] + self._window - now if self._ended else _LEAST)
            waits.append(_LEAST)
        return max(0.0, *waits)

    def _is_bold(self, left: _Left) -> bool:
        """Whether one more call in flight could exceed what other machines leave."""
        return self._open > 0 and left.calls + self._open < self._machines * (self._open + 1)

    def _forget(self, now: float) -> None:
        """Drop calls that are outside the window, and expired policies."""
        while self._ended and self._ended[0] + self._window < now:
            self._ended.popleft()
        self._left = {name: left for name, left in self._left.items() if left.until > now}


def read_policies(header: str) -> list[tuple[str, int, float]]:
    """Parse a `Ratelimit` header into name, calls left, and seconds until the limit resets.

    The header is a list of strings with parameters (draft-ietf-httpapi-ratelimit-headers). An item
    without both numbers is skipped.
    """
    return [
        (name, int(parameters["r"]), float(parameters["t"]))
        for name, parameters in _parse_items(header)
        if _is_number(parameters.get("r")) and _is_number(parameters.get("t"))
    ]


def read_quotas(header: str) -> dict[str, int]:
    """Parse a `Ratelimit-Policy` header into calls per window, by the policy's name."""
    return {
        name: int(parameters["q"])
        for name, parameters in _parse_items(header)
        if _is_number(parameters.get("q"))
    }


def _parse_items(header: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Parse the strings of a list and their parameters."""
    for item in header.split(","):
        match = _POLICY.fullmatch(item)
        if match is not None:
            pairs = (part.strip().partition("=") for part in match[2].split(";"))
            yield match[1], {key: value for key, _, value in pairs}


def _is_number(text: str | None) -> bool:
    return text is not None and text.isascii() and text.isdecimal() and len(text) < 10
