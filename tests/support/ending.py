"""Ends every test: how long it may take, what a dead worker means, what processes inherit.

A test that takes too long ends its process, with the stack of every thread on stderr. Raising in
the test instead is not enough: asyncio swallows what is raised in a callback, and a thread that
waits for a lock never sees it. Under xdist that ends a worker, and a dead worker ends the run.
"""

import faulthandler
import os
import signal
from collections.abc import Iterator
from typing import Any, Final, TextIO

import pytest

#: How long a test may take, its fixtures included; the marker `timeout` says otherwise. A test
#: needs less than 15 s of an idle machine, so that one with a load of 20 does not get here.
SECONDS: Final = float(os.environ.get("FLOWFLARE_TEST_SECONDS", "300"))
STDERR: Final = pytest.StashKey[TextIO]()
LEFT: Final = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    # Nothing is captured yet: this is the terminal, or what the whole run writes to.
    config.stash[STDERR] = os.fdopen(os.dup(2), "w")
    config.stash[LEFT] = []
    # `make test &` in a script ignores Ctrl-C, and every process of a test would inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Names each test's group of xdist, so that one worker runs the group.

    xdist 3.8 writes the name into a field that pytest 9.2 no longer has, and would give the tests
    of a group to all workers: each would start an emulator for them.
    """
    if getattr(config.option, "loadgroup", False):
        for item in items:
            group = item.get_closest_marker("xdist_group")
            if group is not None and "@" not in item.nodeid:
                item._id = type(item.id).parse(f"{item.nodeid}@{group.args[0]}")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    marker = item.get_closest_marker("timeout")
    seconds = float(marker.args[0]) if marker else SECONDS
    # A thread in C, which also runs where Python does not.
    faulthandler.dump_traceback_later(seconds, exit=True, file=item.config.stash[STDERR])
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Ends the run when a worker of xdist has died: the others finish the tests that they have.

    xdist 3.8 would give the rest of the worker's group, with the test that killed it, to others;
    if those are about to end, it waits for ever.
    """
    session = node.config.pluginmanager.getplugin("dsession")
    if not error or session is None or session.sched is None:
        return
    work = getattr(session.sched, "assigned_work", {}).get(node, {})
    node.config.stash[LEFT] += [
        test for tests in work.values() for test, is_done in tests.items() if not is_done
    ]
    session.triggershutdown()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    left = config.stash[LEFT]
    if left:
        terminalreporter.section("The run has ended because a worker died. It still had to run")
        for test in left:
            terminalreporter.line(test)
