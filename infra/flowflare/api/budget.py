"""Keeps one token's calls below Cloudflare's limit, for every client of this process.

Cloudflare allows a user or an account token 1,200 calls in 5 minutes and blocks every call for the
next 5 minutes after that (fundamentals/api/reference/limits). What other machines use of it comes
with the answers: `Ratelimit: "default";r=50;t=30`, fifty calls left for thirty seconds.
"""

import math
import re
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

CALLS: Final = 1200
WINDOW: Final = 300.0
_POLICY: Final = re.compile(r'\s*"?([\w.-]+)"?\s*((?:;[^,]*)*)')
# Shorter waits would not move a clock of seconds on at all.
_LEAST: Final = 0.001


@dataclass
class _Left:
    """What a policy of the API leaves: so many calls until a moment of the clock."""

    calls: int
    until: float


class Budget:
    """The calls of one token.

    A call counts from before it is sent until a window after its end: the API saw it in between,
    so that the API, too, never sees more than the limit in one window.

    Args:
        clock: seconds that never go back.
        sleep: waits.
        calls: how many calls a window may have.
        window: the window in seconds.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        *,
        calls: int = CALLS,
        window: float = WINDOW,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._calls = calls
        self._window = window
        self._lock = threading.Lock()
        self._open = 0
        self._ended: deque[float] = deque()
        self._left: dict[str, _Left] = {}
        self._paused = -math.inf

    def begin(self) -> None:
        """Waits until a call may be sent, and counts it."""
        while True:
            with self._lock:
                wait = self._wait(self._clock())
                if wait <= 0:
                    self._open += 1
                    for left in self._left.values():
                        left.calls -= 1
                    return
            self._sleep(max(wait, _LEAST))

    def end(self, headers: Mapping[str, str] | None = None) -> None:
        """Takes what the answer's headers say of the limit; without an answer there are none."""
        with self._lock:
            self._open -= 1
            now = self._clock()
            self._ended.append(now)
            for name, calls, seconds in read_policies((headers or {}).get("ratelimit", "")):
                self._take(name, calls - self._open, now + min(seconds, self._window), now)

    def pause(self, seconds: float) -> None:
        """Holds every call back, as the API asked for, but no longer than a block lasts."""
        with self._lock:
            self._paused = max(self._paused, self._clock() + min(seconds, self._window))

    def _take(self, name: str, calls: int, until: float, now: float) -> None:
        known = self._left.get(name)
        if known is not None and known.until > now:
            # Answers overtake each other: the older one must not bring calls back.
            calls = min(calls, known.calls)
        self._left[name] = _Left(calls, until)

    def _wait(self, now: float) -> float:
        """Seconds until a call may be sent; 0 for now."""
        while self._ended and self._ended[0] + self._window < now:
            self._ended.popleft()
        self._left = {name: left for name, left in self._left.items() if left.until > now}
        waits = [left.until - now for left in self._left.values() if left.calls <= 0]
        waits.append(self._paused - now)
        if self._open + len(self._ended) >= self._calls:
            waits.append(self._ended[0] + self._window - now if self._ended else _LEAST)
            waits.append(_LEAST)
        return max(0.0, *waits)


def read_policies(header: str) -> list[tuple[str, int, float]]:
    """The policies of a `Ratelimit` header: name, calls left, seconds until there are more.

    The header is a list of strings with parameters (draft-ietf-httpapi-ratelimit-headers); an item
    that does not say both is left out.
    """
    found = []
    for item in header.split(","):
        match = _POLICY.fullmatch(item)
        if match is None:
            continue
        pairs = (part.strip().partition("=") for part in match[2].split(";"))
        said = {key: value for key, _, value in pairs}
        if _is_number(said.get("r")) and _is_number(said.get("t")):
            found.append((match[1], int(said["r"]), float(said["t"])))
    return found


def _is_number(text: str | None) -> bool:
    return text is not None and text.isascii() and text.isdecimal() and len(text) < 10
