"""The pytest plugin: a Cloudflare account of its own for each test that asks for it.

The embedded Cloudflare starts when the first test uses it, once for a session and all its
pytest-xdist workers. It stops with the last of them, also after `kill -9`.
"""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from flowflare.emulator.process import Running
    from flowflare.testing.cloud import Cloudflare


@pytest.fixture(scope="session")
def cloudflare_emulator(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> "Iterator[Running]":
    """The embedded Cloudflare of this session, shared by its pytest-xdist workers."""
    from flowflare.testing.shared import share_emulator

    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with share_emulator(folder / "cloudflare-emulator", request.config.rootpath) as running:
        yield running


@pytest.fixture
def cloudflare(cloudflare_emulator: "Running") -> "Iterator[Cloudflare]":
    """A new, empty Cloudflare account in the embedded Cloudflare, for this test alone.

    At the end of the test its Workers are deleted, and its faults and its latency are removed.
    """
    from flowflare.testing.cloud import Cloudflare

    account = Cloudflare(cloudflare_emulator.port, cloudflare_emulator.token)
    try:
        yield account
    finally:
        account.close()
