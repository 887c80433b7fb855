"""What holds for every test: how it ends, which CLI it finds, when it is skipped without one."""

import pytest

from tests.support import ending
from tests.support.pulumi_cli import give_time, skip_without_cli, use_built_cli


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(ending)
    use_built_cli()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    give_time(items)


def pytest_runtest_setup(item: pytest.Item) -> None:
    skip_without_cli(item)
