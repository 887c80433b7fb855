"""Provide the fixtures of the engine tests: a project in a folder, and a fake Cloudflare."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.fake_cloudflare import TOKEN, FakeCloudflare
from tests.engine.projects import Sample, Things, make_sample


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    """Create a project without configuration."""
    return make_sample(tmp_path / "project")


@pytest.fixture
def cloudflare() -> Iterator[FakeCloudflare]:
    with FakeCloudflare() as fake:
        yield fake


@pytest.fixture
def cloud_sample(tmp_path: Path, cloudflare: FakeCloudflare) -> Sample:
    """Create a project whose default provider uses the fake Cloudflare."""
    config = {"cloudflare:baseUrl": cloudflare.base_url, "cloudflare:apiToken": TOKEN}
    return make_sample(tmp_path / "project", config=config)


@pytest.fixture
def thing_sample(tmp_path: Path) -> Sample:
    """Create a project with the provider of `things.py`, and an empty folder for its things."""
    world = tmp_path / "world"
    world.mkdir()
    made = make_sample(tmp_path / "project", config={"p:world": str(world)})
    made.write_module("things", (Path(__file__).parent / "things.py").read_text("utf-8"))
    return made


@pytest.fixture
def world(tmp_path: Path) -> Things:
    """Return the things of `thing_sample`."""
    return Things(tmp_path / "world")
