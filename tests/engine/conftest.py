"""Fixtures of the embedded engine's tests: a project in a folder, a Cloudflare to talk to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.fake_cloudflare import TOKEN, FakeCloudflare
from tests.engine.projects import Sample, World, make_sample


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    """A project without configuration."""
    return make_sample(tmp_path / "project")


@pytest.fixture
def cloudflare() -> Iterator[FakeCloudflare]:
    with FakeCloudflare() as fake:
        yield fake


@pytest.fixture
def cloud_sample(tmp_path: Path, cloudflare: FakeCloudflare) -> Sample:
    """A project whose default provider talks to the fake Cloudflare."""
    config = {"cloudflare:baseUrl": cloudflare.base_url, "cloudflare:apiToken": TOKEN}
    return make_sample(tmp_path / "project", config=config)


@pytest.fixture
def thing_sample(tmp_path: Path) -> Sample:
    """A project with the dynamic provider of `things.py` and an empty world."""
    world = tmp_path / "world"
    world.mkdir()
    made = make_sample(tmp_path / "project", config={"p:world": str(world)})
    made.module("things", (Path(__file__).parent / "things.py").read_text("utf-8"))
    return made


@pytest.fixture
def world(tmp_path: Path) -> World:
    """The things of `thing_sample`."""
    return World(tmp_path / "world")
