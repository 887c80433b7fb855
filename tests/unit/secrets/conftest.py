"""An AWS for the tests that need one."""

from collections.abc import Iterator

import pytest

from tests.aws import Aws, serve_aws


@pytest.fixture(scope="session")
def aws_server() -> Iterator[Aws]:
    with serve_aws() as served:
        yield served


@pytest.fixture
def aws(aws_server: Aws, monkeypatch: pytest.MonkeyPatch) -> Aws:
    for name, value in aws_server.environment.items():
        monkeypatch.setenv(name, value)
    return aws_server
