"""Set up every test: its time limit, its xdist group, and the Pulumi CLI that it uses."""

import gc

import pytest

from tests.support import dead_workers, ending, groups
from tests.support.pulumi_cli import skip_without_cli, use_built_cli


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(ending)
    config.pluginmanager.register(dead_workers)
    config.pluginmanager.register(groups)
    use_built_cli()


def pytest_collection(session: pytest.Session) -> None:
    # Collecting makes millions of objects that live to the end. Searching them for cycles took a
    # third of the CPU of collecting.
    gc.disable()


def pytest_collection_finish(session: pytest.Session) -> None:
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_runtest_setup(item: pytest.Item) -> None:
    skip_without_cli(item)
