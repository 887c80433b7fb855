"""End every test: limit its time, and let Ctrl-C reach it wherever the run was started.

A test that takes too long ends its process; the stack of every thread is written to stderr first.
Raising an exception in the test is not enough: asyncio swallows what is raised in a callback, and a
thread that waits for a lock never sees it. Under xdist the process is a worker, and a dead worker
ends the run (`dead_workers.py`).
"""

import faulthandler
import os
import signal
from collections.abc import Iterator
from typing import Final, TextIO

import pytest

#: Time limit of a test with its fixtures, in seconds; the marker `timeout` sets another limit.
#: Few tests need 30 s of an idle machine, so a load of 20 does not end one that makes progress.
SECONDS: Final = float(os.environ.get("FLOWFLARE_TEST_SECONDS", "600"))
STDERR: Final = pytest.StashKey[TextIO]()


def pytest_configure(config: pytest.Config) -> None:
    # Capturing has not started for a plugin that conftest registers: this is the run's own stderr.
    config.stash[STDERR] = os.fdopen(os.dup(2), "w")
    # `make test &` in a shell script ignores SIGINT, and every process of a test inherits that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    marker = item.get_closest_marker("timeout")
    end_after(marker.args[0] if marker else SECONDS, item.config)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Limit the end of the process too, where Python waits for threads."""
    end_after(SECONDS, session.config)


def end_after(seconds: float, config: pytest.Config) -> None:
    """Let a C thread end this process; that works even while no Python code can run."""
    faulthandler.dump_traceback_later(seconds, exit=True, file=config.stash[STDERR])
