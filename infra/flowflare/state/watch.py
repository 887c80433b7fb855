"""Watches an object of a store: for how long it has been the same, by this machine's clock alone.

Two machines' clocks may differ by minutes, and a store tells its time in whole seconds or not at
all. The time between two reads of the same version needs no other clock than the reader's.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flowflare.state.backends.store import Store

_LOOKS: Final = 12
# The version of an object that this process has read last, and when it first read that version.
_SEEN: Final[dict[tuple["Clock", str], tuple[str, float]]] = {}


def _since_boot() -> float:
    """Seconds that go on while the machine sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


@dataclass(frozen=True)
class Clock:
    """The clocks of a lease.

    Attributes:
        now: the time in seconds since 1970, which other machines may not agree with.
        elapsed: seconds that never go back and do not stop while the machine sleeps.
        sleep: waits for some seconds.
    """

    now: Callable[[], float] = time.time
    elapsed: Callable[[], float] = _since_boot
    sleep: Callable[[float], None] = time.sleep


def seen_for(place: str, tag: str, clock: Clock) -> float:
    """For how many seconds this process has known a version of an object; 0 for a new one.

    Args:
        place: where the object is.
        tag: its version, as it was read just now.
        clock: the time.
    """
    now = clock.elapsed()
    seen, since = _SEEN.get((clock, place), ("", now))
    if seen != tag:
        since = now
    _SEEN[clock, place] = (tag, since)
    return now - since


def stays(store: Store, key: str, tag: str, seconds: float, clock: Clock) -> bool:
    """Whether an object keeps its version for some seconds; returns as soon as it does not.

    Args:
        store: where the object is.
        key: which object.
        tag: its version, as it was read just now.
        seconds: for how long it is read again and again.
        clock: the time.

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
