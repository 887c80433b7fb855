"""Measure how long an object of a store stays the same, only by this machine's clock.

Two machines' clocks may differ by minutes, and a store's time may be in whole seconds or missing.
The time between two reads of the same version only needs the reader's clock.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flowflare.state.backends.store import Store

_LOOKS: Final = 12
# By object: the version that this process read last, and when it first read that version.
_SEEN: Final[dict[tuple["Clock", str], tuple[str, float]]] = {}


def _since_boot() -> float:
    """Return seconds of a clock that also runs while the machine sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


@dataclass(frozen=True)
class Clock:
    """The clocks of a lease.

    Attributes:
        now: seconds since 1970, on which other machines may not agree.
        elapsed: seconds that never go back and do not stop while the machine sleeps.
    """

    now: Callable[[], float] = time.time
    elapsed: Callable[[], float] = _since_boot
    sleep: Callable[[float], None] = time.sleep


def measure_age(place: str, tag: str, clock: Clock) -> float:
    """Return for how many seconds this process has known a version of an object; 0 if it is new.

    Args:
        place: where the object is.
        tag: its version, as it was read just now.
    """
    now = clock.elapsed()
    seen, since = _SEEN.get((clock, place), ("", now))
    if seen != tag:
        since = now
    _SEEN[clock, place] = (tag, since)
    return now - since


def stays(store: Store, key: str, tag: str, seconds: float, clock: Clock) -> bool:
    """Return whether an object keeps its version for some seconds; returns as soon as it does not.

    Args:
        tag: its version, as it was read just now.
        seconds: how long to keep reading it.

    Raises:
        StateError: the store cannot be reached.
    """
    ends = clock.elapsed() + seconds
    while (left := ends - clock.elapsed()) > 0:
        clock.sleep(min(left, seconds / _LOOKS))
        stored = store.get(key)
        if stored is None or stored.tag != tag:
            return False
    return True
