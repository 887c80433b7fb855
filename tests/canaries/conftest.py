"""One embedded Cloudflare and one project full of canaries for the tests of a module."""

from collections.abc import Iterator

import pytest

from tests.canaries.planted import Planted, make_planted
from tests.canaries.running import inside
from tests.e2e.conftest import cloudflare as cloudflare  # noqa: PLC0414 -- a fixture
from tests.e2e.embedded import Cloudflare


@pytest.fixture(scope="module")
def canary_project(
    tmp_path_factory: pytest.TempPathFactory, cloudflare: Cloudflare
) -> Iterator[Planted]:
    """A project full of canaries whose environment this process has; without a Pulumi CLI."""
    made = make_planted(tmp_path_factory.mktemp("canaries"), cloudflare)
    with inside(made.environ | {"PATH": "/usr/bin:/bin"}):
        yield made
