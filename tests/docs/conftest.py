"""Make a project's folder for pages that run the program."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def example(tmp_path: Path) -> Iterator[Path]:
    """Copy this repository's own project."""
    root = tmp_path / "example"
    root.mkdir()
    for name in ("Pulumi.yaml", "Pulumi.local.yaml"):
        shutil.copy(ROOT / name, root)
    shutil.copytree(ROOT / "worker_src/orders", root / "worker_src/orders")
    with contextlib.chdir(root):
        yield root
