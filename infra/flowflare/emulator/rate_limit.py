"""Limit calls to 1,200 in five minutes for each token, then refuse all for five minutes.

Numbers and headers are those of Cloudflare's API limits. Tests set other numbers through the
control API, for all tokens or for one.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field


class Limit(BaseModel):
    """Hold the number of calls that a token may make."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    calls: int | None = Field(default=1_200, ge=1)
    """None sets no limit."""
    seconds: float = Field(default=300, gt=0)
    block: float = Field(default=300, ge=0)
    """Seconds for which all calls are refused once the limit is exceeded."""
    token: str | None = None
    """The token that the limit is for. None is for all tokens without their own limit."""


@dataclass(frozen=True)
class Verdict:
    """Say whether a call is refused, and which headers its answer gets."""

    refused: bool
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class _Window:
    """Count a token's calls since its window began."""

    until: float
    used: int = 0
    blocked_until: float = 0


class RateLimit:
    """Count the calls of all tokens.

    Args:
        clock: returns seconds since any fixed moment.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._limits: dict[str | None, Limit] = {None: Limit()}
        self._windows: dict[str, _Window] = {}

    def set(self, limit: Limit) -> None:
        """Set another limit and restart the count."""
        self._limits[limit.token] = limit
        self._windows.clear()

    def reset(self) -> None:
        """Restore Cloudflare's limit and restart the count."""
        self._limits = {None: Limit()}
        self._windows.clear()

    def all(self) -> list[Limit]:
        """List the limits in force."""
        return list(self._limits.values())

    def count(self, token: str) -> Verdict:
        """Count a call."""
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
