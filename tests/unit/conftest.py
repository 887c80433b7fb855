"""Fixtures of the unit tests."""

from collections.abc import Iterator

import pytest

from tests.unit.fake_api import FakeApi, serve_fake_api


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """An API on loopback with one empty database."""
    with serve_fake_api() as running:
        yield running
