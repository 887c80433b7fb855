"""The limit on calls: 1,200 in five minutes for each token; after more, nothing for five minutes.

Numbers and headers are those of Cloudflare's API limits. Tests set other numbers on the control
surface, for all tokens or for one.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field


class Limit(BaseModel):
    """How many calls a token has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    calls: int | None = Field(default=1_200, ge=1)
    """None for no limit."""
    seconds: float = Field(default=300, gt=0)
    block: float = Field(default=300, ge=0)
    """Seconds without any call once there were too many."""
    token: str | None = None
    """The token that it is for; None for all that have none of their own."""


@dataclass(frozen=True)
class Verdict:
    """What becomes of a call: its headers, and whether it is refused."""

    refused: bool
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class _Window:
    """A token's calls since its window began."""

    until: float
    used: int = 0
    blocked_until: float = 0


class RateLimit:
    """Counts the calls of all tokens.

    Args:
        clock: seconds, from any moment on.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._limits: dict[str | None, Limit] = {None: Limit()}
        self._windows: dict[str, _Window] = {}

    def set(self, limit: Limit) -> None:
        """Takes another limit, and begins to count anew."""
        self._limits[limit.token] = limit
        self._windows.clear()

    def reset(self) -> None:
        """Goes back to Cloudflare's limit and begins to count anew."""
        self._limits = {None: Limit()}
        self._windows.clear()

    def all(self) -> list[Limit]:
        """The limits in force."""
        return list(self._limits.values())

    def count(self, token: str) -> Verdict:
        """Counts a call.

        Args:
            token: what the call authenticates with.
        """
        limit = self._limits.get(token, self._limits[None])
        if limit.calls is None:
            return Verdict(refused=False)
        now = self._clock()
        window = self._windows.get(token)
        if window is None or now >= max(window.until, window.blocked_until):
            window = self._windows[token] = _Window(now + limit.seconds)
        window.used += 1
        if window.used == limit.calls + 1:
            window.blocked_until = now + limit.block
        left = max(0, limit.calls - window.used)
        refused = window.used > limit.calls
        wait = math.ceil(max(window.blocked_until if refused else window.until, now) - now)
        headers = {
            "ratelimit": f'"default";r={left};t={wait}',
            "ratelimit-policy": f'"default";q={limit.calls};w={math.ceil(limit.seconds)}',
        }
        return Verdict(refused, headers | ({"retry-after": str(max(1, wait))} if refused else {}))
