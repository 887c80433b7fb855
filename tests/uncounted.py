"""Processes whose coverage is not counted: what they run is counted elsewhere, at twice the time.

The marker `no_cover` does the same for what a test runs in its own process.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

# What coverage gives to processes so that they count too.
_VARIABLE = "COVERAGE_PROCESS_CONFIG"


@contextmanager
def uncounted() -> Iterator[None]:
    """Processes that begin in the block are not counted."""
    config = os.environ.pop(_VARIABLE, None)
    try:
        yield
    finally:
        if config is not None:
            os.environ[_VARIABLE] = config
