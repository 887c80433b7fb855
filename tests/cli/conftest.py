"""A project of `flowflare init`, on a port where nothing runs."""

import shutil
from pathlib import Path

import pytest

from tests.cli.command import flowflare
from tests.ports import find_free_port, point_at

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    assert flowflare("init", str(folder)).code == 0
    point_at(folder / "Pulumi.local.yaml", f"http://127.0.0.1:{find_free_port()}/client/v4")
    return folder


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder with a second copy of the package, without node_modules beside it."""
    checkout = tmp_path / "checkout"
    ignored = shutil.ignore_patterns("__pycache__", "node_modules")
    for name in ("infra/flowflare", "templates", "worker_src", "migrations"):
        shutil.copytree(ROOT / name, checkout / name, ignore=ignored)
    for name in ("package.json", "package-lock.json", "requirements.lock"):
        shutil.copy(ROOT / name, checkout)
    return checkout / "infra"
