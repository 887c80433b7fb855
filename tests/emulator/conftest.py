"""Run one emulator per test process, and give each test its own account."""

from collections.abc import Iterator

import pytest

from flowflare.emulator.process import Running
from tests.emulator.emulated import Account, emulator


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture
def account(cloud: Running) -> Iterator[Account]:
    fresh = Account(cloud)
    yield fresh
    fresh.close()
