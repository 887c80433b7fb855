"""Fixtures of the storage's tests: one wire for all, a bucket of its own for each test."""

import itertools
from collections.abc import Iterator

import boto3
import pytest

from flowflare.storage.bucket import S3Store
from tests.storage.wire import Wire, serve_wire

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def served() -> Iterator[Wire]:
    with serve_wire() as wire:
        yield wire


@pytest.fixture
def wire(served: Wire) -> Iterator[Wire]:
    served.requests.clear()
    served.troubles.clear()
    yield served
    assert not served.troubles, "a trouble that nobody met"


@pytest.fixture
def bucket(wire: Wire) -> str:
    name = f"bucket-{next(_NUMBERS)}"
    session = boto3.session.Session("testing", "testing", region_name="us-east-1")
    host, port = wire.upstream
    session.client("s3", endpoint_url=f"http://{host}:{port}").create_bucket(Bucket=name)
    return name


@pytest.fixture
def store(wire: Wire, bucket: str) -> S3Store:
    return wire.store(bucket)
