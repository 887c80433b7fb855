"""Wait in tests for what another thread or process does: for the event, never for some seconds."""

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
    """Look again and again until what is found is right.

    Args:
        look: returns what there is now.
        is_right: whether it is what the test waits for; by default, whether it is true.
        process: the process that is expected to cause it; when it has ended, nobody waits for it.
        seconds: how long to wait.

    Returns:
        What was found.

    Raises:
        AssertionError: it was not found, with what was found last.
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


def holds(look: Callable[[], object], *, seconds: float) -> bool:
    """Report whether something stays true for some seconds: the check that nothing happens."""
    deadline = time.monotonic() + seconds
    while look():
        if time.monotonic() > deadline:
            return True
        time.sleep(_PAUSE)
    return False
