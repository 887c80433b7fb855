"""Keeps one token's calls below Cloudflare's limit, for every client of this process.

Cloudflare allows a user or an account token 1,200 calls in 5 minutes and blocks every call for the
next 5 minutes after that (fundamentals/api/reference/limits). What other machines use of it comes
with the answers: `Ratelimit: "default";r=50;t=30`, fifty calls left for thirty seconds.
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
#: Seconds of a wait from which on it is said.
NOTICED: Final = 2.0
OnWait = Callable[[float], None]
_POLICY: Final = re.compile(r'\s*"?([\w.-]+)"?\s*((?:;[^,]*)*)')
# Shorter waits would not move a clock of seconds on at all.
_LEAST: Final = 0.001
# Until an answer may have come.
_ANSWER: Final = 0.05


@dataclass
class _Left:
    """What a policy of the API leaves: so many calls until a moment of the clock."""

    calls: int
    until: float


@dataclass(frozen=True)
class Others:
    """Who else makes calls with a token.

    Attributes:
        reserve: how many calls of a window are left to people at the dashboard; of another limit
            that an answer tells of, the same share.
        machines: how many may run without knowing of each other: of the calls that an answer
            leaves, one in so many is sent before the next answer tells what the others did.
    """

    reserve: int = 0
    machines: int = 1


NOBODY: Final = Others()


class Budget:
    """The calls of one token.

    A call counts from before it is sent until a window after its end: the API saw it in between,
    so that the API, too, never sees more than the limit in one window.

    Args:
        clock: seconds that never go back.
        sleep: waits.
        calls: how many calls a window may have.
        window: the window in seconds.
        others: who else makes calls.
        on_wait: is told the seconds of a wait that somebody would notice, once for all who wait.
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
        self._kept = others.reserve / min(calls, CALLS)
        self._window = window
        self._machines = others.machines
        self._on_wait = on_wait
        self._told = -math.inf
        self._lock = threading.Lock()
        self._open = 0
        self._ended: deque[float] = deque()
        self._left: dict[str, _Left] = {}
        self._paused = -math.inf

    def begin(self) -> None:
        """Waits until a call may be sent, and counts it."""
        while wait := self.attempt():
            self.tell(wait)
            self._sleep(max(wait, _LEAST))

    def attempt(self) -> float:
        """Counts a call if it may be sent now.

        Returns:
            0 if it may, and it is counted; else the seconds until it is worth asking again.
        """
        with self._lock:
            wait = self._wait(self._clock())
            if wait <= 0:
                self._open += 1
                for left in self._left.values():
                    left.calls -= 1
            return wait

    def tell(self, seconds: float) -> None:
        """Says that somebody waits now, if it is long and was not said already."""
        until = self._clock() + seconds
        with self._lock:
            if self._on_wait is None or seconds < NOTICED or until < self._told + NOTICED:
                return
            self._told = until
        self._on_wait(seconds)

    def end(self, headers: Mapping[str, str] | None = None) -> None:
        """Takes what the answer's headers say of the limit; without an answer there are none."""
        with self._lock:
            self._open -= 1
            now = self._clock()
            self._ended.append(now)
            told = headers or {}
            quotas = read_quotas(told.get("ratelimit-policy", ""))
            for name, calls, seconds in read_policies(told.get("ratelimit", "")):
                kept = int(quotas.get(name, CALLS) * self._kept)
                self._take(name, calls - kept - self._open, now + min(seconds, self._window), now)

    def pause(self, seconds: float) -> None:
        """Holds every call back, as the API asked for, but no longer than a block lasts."""
        with self._lock:
            self._paused = max(self._paused, self._clock() + min(seconds, self._window))

    def left(self) -> int:
        """How many calls could be sent now, those counted that are under way."""
        with self._lock:
            now = self._clock()
            if self._paused > now:
                return 0
            self._forget(now)
            own = self._calls - self._open - len(self._ended)
            return max(0, min([own, *(left.calls for left in self._left.values())]))

    def forecast(self, calls: int) -> float:
        """Seconds until so many more calls can have been sent, as far as the limit goes.

        Beyond the window that is under way nobody else is reckoned with.
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
            # Each call takes the place of the one that came a window's calls before it.
            windows, place = divmod(calls - 1, self._calls)
            over = self._open + len(self._ended) + place + 1 - self._calls
            if over > len(self._ended):
                return max(first, (windows + 1) * self._window)
            wait = self._ended[over - 1] + self._window - now if over > 0 else 0.0
            return max(first, wait + windows * self._window)

    def _take(self, name: str, calls: int, until: float, now: float) -> None:
        known = self._left.get(name)
        if known is not None and known.until > now:
            # Answers overtake each other: the older one must not bring calls back.
            calls = min(calls, known.calls)
        self._left[name] = _Left(calls, until)

    def _wait(self, now: float) -> float:
        """Seconds until a call may be sent; 0 for now."""
        self._forget(now)
        waits = [left.until - now for left in self._left.values() if left.calls <= 0]
        waits.append(self._paused - now)
        waits += [_ANSWER for left in self._left.values() if self._is_bold(left)]
        if self._open + len(self._ended) >= self._calls:
            waits.append(self._ended[0] + self._window - now if self._ended else _LEAST)
            waits.append(_LEAST)
        return max(0.0, *waits)

    def _is_bold(self, left: _Left) -> bool:
        """Whether one more call under way would be too many for what others may be sending."""
        return self._open > 0 and left.calls + self._open < self._machines * (self._open + 1)

    def _forget(self, now: float) -> None:
        """Drops what is over: calls that left the window, and what answers said of earlier ones."""
        while self._ended and self._ended[0] + self._window < now:
            self._ended.popleft()
        self._left = {name: left for name, left in self._left.items() if left.until > now}


def read_policies(header: str) -> list[tuple[str, int, float]]:
    """The policies of a `Ratelimit` header: name, calls left, seconds until there are more.

    The header is a list of strings with parameters (draft-ietf-httpapi-ratelimit-headers); an item
    that does not say both is left out.
    """
    return [
        (name, int(said["r"]), float(said["t"]))
        for name, said in _items(header)
        if _is_number(said.get("r")) and _is_number(said.get("t"))
    ]


def read_quotas(header: str) -> dict[str, int]:
    """The quotas of a `Ratelimit-Policy` header, calls a window, by the policy's name."""
    return {name: int(said["q"]) for name, said in _items(header) if _is_number(said.get("q"))}


def _items(header: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The strings of a list and their parameters."""
    for item in header.split(","):
        match = _POLICY.fullmatch(item)
        if match is not None:
            pairs = (part.strip().partition("=") for part in match[2].split(";"))
            yield match[1], {key: value for key, _, value in pairs}


def _is_number(text: str | None) -> bool:
    return text is not None and text.isascii() and text.isdecimal() and len(text) < 10
