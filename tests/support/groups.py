"""Share the tests of one group out among the workers of xdist.

Tests with `xdist_group("e2e")` use an emulator that a worker starts once. In a single group they
would all be one worker's, and take longer than everything else together; without a group, each
worker would load every fixture.
"""

from itertools import groupby

import pytest

#: Groups that are split, each into as many parts as `make test` has workers.
SPLIT = {"e2e"}
PARTS = 3


@pytest.hookimpl(tryfirst=True)  # xdist joins the names of a test's groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each file of a split group a second group, by turns."""
    for group in SPLIT:
        shared = [item for item in items if _group_of(item) == group]
        for number, (_, tests) in enumerate(groupby(shared, lambda item: item.path)):
            for test in tests:
                test.add_marker(pytest.mark.xdist_group(f"part-{number % PARTS}"))


def _group_of(item: pytest.Item) -> str | None:
    mark = item.get_closest_marker("xdist_group")
    return str(mark.args[0]) if mark is not None else None
