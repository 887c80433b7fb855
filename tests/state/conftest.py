"""Fixtures of the storage's tests: one wire for all, a bucket of its own for each test."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from flowflare.state.backends.objects import ObjectStore
from tests.engine.projects import Sample, Things, make_sample
from tests.state.wire import KEYS, Wire, serve_wire

PROGRAM = """
    import pulumi
    from things import Thing
    z = Thing("z", pulumi.Output.secret("canary-of-z"))
    Thing("w", z.token)
    pulumi.export("token", z.token)
"""
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def shared_wire() -> Iterator[Wire]:
    with serve_wire() as wire:
        yield wire


@pytest.fixture
def wire(shared_wire: Wire) -> Iterator[Wire]:
    shared_wire.requests.clear()
    shared_wire.troubles.clear()
    yield shared_wire
    assert not shared_wire.troubles, "a trouble that no request met"


@pytest.fixture
def bucket(wire: Wire) -> str:
    name = f"bucket-{next(_NUMBERS)}"
    session = boto3.session.Session("testing", "testing", region_name="us-east-1")
    host, port = wire.upstream
    session.client("s3", endpoint_url=f"http://{host}:{port}").create_bucket(Bucket=name)
    return name


@pytest.fixture
def store(wire: Wire, bucket: str) -> ObjectStore:
    return wire.store(bucket)


@pytest.fixture
def sample(tmp_path: Path, wire: Wire, bucket: str) -> Sample:
    """A project whose state is in the bucket."""
    world = tmp_path / "world"
    world.mkdir()
    made = make_sample(tmp_path / "project", PROGRAM, {"p:world": str(world)})
    things = Path(__file__).parents[1] / "engine" / "things.py"
    made.write_module("things", things.read_text("utf-8"))
    made.environ |= {**KEYS, "PULUMI_BACKEND_URL": wire.url(bucket)}
    return made


@pytest.fixture
def world(tmp_path: Path) -> Things:
    return Things(tmp_path / "world")
