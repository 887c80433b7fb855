"""Wait in tests for what another thread or process does: for the event, never for a fixed time."""

import time
from collections.abc import Callable
from subprocess import Popen
from typing import Any, Final, TypeVar

Found = TypeVar("Found")
#: Seconds. Only a test that fails waits that long, so the figure allows for a machine under load.
PATIENCE: Final = 240.0
_PAUSE: Final = 0.02


def wait_until(
    look: Callable[[], Found],
    is_right: Callable[[Found], object] = bool,
    *,
    process: "Popen[Any] | None" = None,
    seconds: float = PATIENCE,
) -> Found:
    """Call a function until its result is the expected one.

    Args:
        look: returns the current value.
        is_right: whether the value is the expected one; by default, whether it is true.
        process: the process that causes it; waiting stops when this process has ended.
        seconds: how long to wait at most.

    Returns:
        The expected value.

    Raises:
        AssertionError: the time is over, or the process has ended; the message has the last value.
    """
    deadline = time.monotonic() + seconds
    while True:
        is_over = time.monotonic() > deadline
        has_ended = process is not None and process.poll() is not None
        found = look()
        if is_right(found):
            return found
        assert not has_ended, f"the process ended before that; last was {found!r}"
        assert not is_over, f"not found within {seconds:.0f} s; last was {found!r}"
        time.sleep(_PAUSE)


def stays_true(look: Callable[[], object], *, seconds: float) -> bool:
    """Return whether the result stays true for some seconds, to check that nothing happens."""
    deadline = time.monotonic() + seconds
    while look():
        if time.monotonic() > deadline:
            return True
        time.sleep(_PAUSE)
    return False
