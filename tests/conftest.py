"""What holds for every test: which CLI it finds, and when it is skipped for want of one."""

import pytest

from tests.support.pulumi_cli import give_time, skip_without_cli, use_built_cli


def pytest_configure() -> None:
    use_built_cli()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    give_time(items)


def pytest_runtest_setup(item: pytest.Item) -> None:
    skip_without_cli(item)
