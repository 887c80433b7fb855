"""End the run when a worker of xdist dies, and name the tests that it leaves.

`--max-worker-restart=0` in `pyproject.toml` keeps xdist from starting another worker. By itself
xdist 3.8 still gives the rest of the worker's tests, with the one that killed it, to the others.
"""

from typing import Any, Final

import pytest
from xdist.scheduler import LoadGroupScheduling
from xdist.workermanage import WorkerController

LEFT: Final = pytest.StashKey[list[str]]()


class EndingScheduling(LoadGroupScheduling):
    """Share out tests by group, but never those of a worker that died."""

    def remove_node(self, node: WorkerController) -> str | None:
        """Forget a worker; return the test that it was running, if any."""
        groups = self.assigned_work.pop(node).values()
        left = [test for group in groups for test, is_done in group.items() if not is_done]
        self.config.stash.setdefault(LEFT, []).extend(left)
        return left[0] if left else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> EndingScheduling | None:
    """Replace the schedulers of the Makefile (`loadgroup`) and of a plain `-n 2` (`load`)."""
    return EndingScheduling(config, log) if config.option.dist in {"load", "loadgroup"} else None


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    left = config.stash.get(LEFT, [])
    if left:
        terminalreporter.section(f"The run ended because a worker died. It left {len(left)} tests")
        for test in left:
            terminalreporter.line(test)
