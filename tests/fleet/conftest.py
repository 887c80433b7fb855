"""Make fleets on the shared embedded Cloudflare."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import cloudflare as cloudflare  # noqa: PLC0414 -- a fixture
from tests.e2e.embedded import Cloudflare
from tests.fleet.projects import FleetProject, make_fleet
from tests.uncounted import skip_coverage


@pytest.fixture
def fleet_project(tmp_path: Path, cloudflare: Cloudflare) -> Callable[..., FleetProject]:
    """Make the project of a fleet: `fleet_project(4, waves=[1, "100%"])`."""

    def make(count: int, **environment) -> FleetProject:
        return make_fleet(tmp_path / "fleet", cloudflare, count, **environment)

    return make


@pytest.fixture
def uncounted_processes() -> Iterator[None]:
    """Exclude the commands and workers that a test starts from the coverage."""
    with skip_coverage():
        yield
