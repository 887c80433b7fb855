"""When a call is sent again, and after how long: as the official SDKs do, and as the API asks.

The SDKs repeat 408, 409, 429 and 5xx and calls without an answer, obey `x-should-retry`, and wait
as long as `Retry-After-Ms` or `Retry-After` says (`internal/requestconfig` of cloudflare-go). Two
things differ here: a block of 5 minutes is waited for, since it is what Cloudflare answers a client
that was too fast, and what is waited for is bounded in all.
"""

import email.utils
import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flowflare.api.budget import CALLS

_REPEATED = frozenset({408, 409, 429})


@dataclass(frozen=True)
class Retries:
    """How often and how long one call is tried.

    Attributes:
        attempts: how often it is sent at most.
        patience: seconds that are waited between attempts at most, all of them together.
        first: seconds before the second attempt where the API does not say; then twice as long
            each time.
        most: the longest of these.
        jitter: a number from 0 to 1, of which a quarter shortens a wait: clients that were
            refused together do not come back together.
    """

    attempts: int = 5
    patience: float = 330.0
    first: float = 0.5
    most: float = 8.0
    jitter: Callable[[], float] = random.random

    def wait(self, attempt: int, asked: float | None, waited: float) -> float | None:
        """How long to wait before the next attempt; None to give up.

        Args:
            attempt: how often it was sent so far.
            asked: the seconds that the API asked for, None where it did not.
            waited: the seconds waited so far.
        """
        if attempt >= self.attempts:
            return None
        backoff = min(self.first * 2.0 ** (attempt - 1), self.most) * (1 - 0.25 * self.jitter())
        seconds = backoff if asked is None else asked
        return seconds if waited + seconds <= self.patience else None


@dataclass(frozen=True)
class Pace:
    """What time is for a client: what it is told by, and what may take how much of it.

    Attributes:
        clock: seconds that never go back.
        now: the time in Unix seconds.
        sleep: waits.
        timeout: seconds until a call without an answer counts as lost.
        retries: how often and how long one call is tried.
        calls: how many calls a token may make in 5 minutes.
    """

    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    timeout: float = 60.0
    retries: Retries = Retries()
    calls: int = CALLS


def may_repeat(status: int, headers: Mapping[str, str]) -> bool:
    """Whether an answer invites another attempt; status 0 stands for no answer."""
    told = headers.get("x-should-retry", "")
    if told in ("true", "false"):
        return told == "true"
    return status == 0 or status in _REPEATED or status >= 500


def is_doubtful(status: int) -> bool:
    """Whether what ended so may have been done all the same; status 0 stands for no answer."""
    return status in (0, 408) or status >= 500


def asked_wait(headers: Mapping[str, str], now: float) -> float | None:
    """The seconds that an answer asks to wait, None where it says nothing that makes sense.

    Args:
        headers: the answer's.
        now: the time in Unix seconds, for a date in `Retry-After`.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after")
    seconds = _number(text)
    if seconds is not None or not text:
        return seconds
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - now) or None


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0 else None
