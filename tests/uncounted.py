"""Exclude processes from coverage, which doubles their time, if other tests cover their code.

The marker `no_cover` does the same for the process of a test.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

# Coverage sets this variable to measure child processes too.
_VARIABLE = "COVERAGE_PROCESS_CONFIG"


@contextmanager
def skip_coverage() -> Iterator[None]:
    """Do not measure the coverage of processes that start in the block."""
    config = os.environ.pop(_VARIABLE, None)
    try:
        yield
    finally:
        if config is not None:
            os.environ[_VARIABLE] = config
