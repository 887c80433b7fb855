"""Distribute the tests among the workers of xdist.

Tests with `xdist_group("e2e")` use an emulator that a worker starts once. In a single group, one
worker would run them all, for longer than all other tests take together; without a group, each
worker would load every fixture. In some folders the tests of a file share something that takes
seconds to make: one worker runs the whole file.
"""

from itertools import groupby
from pathlib import Path

import pytest

#: Groups that are split, each into as many parts as `make test` has workers.
SPLIT = {"e2e"}
PARTS = 4
#: Folders in which each file is a group.
WHOLE_FILES = tuple(Path(__file__).parents[1] / name for name in ("golden", "house", "review"))


@pytest.hookimpl(tryfirst=True)  # xdist joins the names of a test's groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Distribute the files of a split group among its parts, in turn."""
    for group in SPLIT:
        shared = [item for item in items if _find_group(item) == group]
        for number, (_, tests) in enumerate(groupby(shared, lambda item: item.path)):
            for test in tests:
                test.add_marker(pytest.mark.xdist_group(f"part-{number % PARTS}"))
    for item in items:
        if _find_group(item) is None and any(map(item.path.is_relative_to, WHOLE_FILES)):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


def _find_group(item: pytest.Item) -> str | None:
    mark = item.get_closest_marker("xdist_group")
    return str(mark.args[0]) if mark is not None else None
