"""Decide when a call is retried, as the official SDKs do and as the API asks.

The SDKs retry 408, 409, 429, 5xx and calls without a response, obey `x-should-retry`, and wait as
long as `Retry-After-Ms` or `Retry-After` says (`internal/requestconfig` of cloudflare-go). Two
things differ here. A client that exceeded the limit waits for Cloudflare's block of 5 minutes to
end, and the total wait of a call is bounded.
"""

import email.utils
import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flowflare.api.budget import CALLS

_RETRIED = frozenset({408, 409, 429})


@dataclass(frozen=True)
class Retries:
    """How often and how long one call is tried.

    Attributes:
        attempts: the maximum number of attempts.
        patience: the maximum total wait between attempts, in seconds.
        first: seconds before the second attempt if the API sets no time. Each later wait is twice
            as long.
        most: the longest of these waits, in seconds.
        jitter: returns a number from 0 to 1. A quarter of it shortens a wait, so that clients that
            were refused together do not retry together.
    """

    attempts: int = 5
    patience: float = 330.0
    first: float = 0.5
    most: float = 8.0
    jitter: Callable[[], float] = random.random

    def wait(self, attempt: int, asked: float | None, waited: float) -> float | None:
        """Return the seconds to wait before the next attempt; None to give up.

        Args:
            attempt: how many attempts were made so far.
            asked: the seconds that the API asked for, None if it did not ask.
            waited: the seconds waited so far.
        """
        if attempt >= self.attempts:
            return None
        backoff = min(self.first * 2.0 ** (attempt - 1), self.most) * (1 - 0.25 * self.jitter())
        seconds = backoff if asked is None else asked
        return seconds if waited + seconds <= self.patience else None


@dataclass(frozen=True)
class Pace:
    """The clock, the timeouts and the retries of a client.

    Attributes:
        clock: returns monotonic seconds.
        now: returns the time in Unix seconds.
        timeout: seconds until a call without a response counts as lost.
        retries: how often and how long one call is tried.
        calls: how many calls a token may make in 5 minutes.
        gate: is called before each attempt of a call, and raises if it may not be sent.
    """

    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    timeout: float = 60.0
    retries: Retries = Retries()
    calls: int = CALLS
    gate: Callable[[], None] = lambda: None


def may_repeat(status: int, headers: Mapping[str, str]) -> bool:
    """Whether a call may be retried; status 0 means that there was no response."""
    advice = headers.get("x-should-retry", "")
    if advice in ("true", "false"):
        return advice == "true"
    return status == 0 or status in _RETRIED or status >= 500


def is_doubtful(status: int) -> bool:
    """Whether a failed call may have had an effect; status 0 means that there was no response."""
    return status in (0, 408) or status >= 500


def read_retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that a response asks to wait, None if it has no valid value.

    Args:
        now: the time in Unix seconds, for a date in `Retry-After`.
    """
    milliseconds = parse_positive(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after")
    seconds = parse_positive(text)
    if seconds is not None or not text:
        return seconds
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - now) or None


def parse_positive(text: str | None) -> float | None:
    """Parse a positive, finite number of a header; None for anything else."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0 else None
