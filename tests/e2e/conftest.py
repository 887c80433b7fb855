"""Provide projects like a new user's, each with its own account on a shared embedded Cloudflare."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from flowflare.api import Connector, Pace
from flowflare.emulator import process
from flowflare.engine.embedded.stack import EmbeddedStack
from flowflare.render.node import ensure_node_packages
from tests.e2e.embedded import Account, Cloudflare
from tests.e2e.killable import Zygote, start_zygote
from tests.ports import point_at
from tests.support.embedded import open_embedded
from tests.support.waiting import PATIENCE
from tests.uncounted import skip_coverage

ROOT = Path(__file__).parent.parent.parent
FILES = ("Pulumi.yaml", "Pulumi.local.yaml", "infra/__main__.py", "worker_src/orders")

# All tests of a process share one token and together make more calls than Cloudflare allows.
UNCOUNTED = Connector(Pace(calls=1_000_000))


@dataclass(frozen=True)
class Project:
    """A copy of the example project with its own account."""

    root: Path
    account: Account

    def open_stack(self) -> EmbeddedStack:
        return open_embedded(self.root, "local", api=UNCOUNTED)

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.root / path
        text = file.read_text()
        assert old in text, f"{path} has no {old!r}"
        file.write_text(text.replace(old, new))

    def configure(self, line: str) -> None:
        file = self.root / "Pulumi.local.yaml"
        file.write_text(f"{file.read_text().rstrip()}\n  {line}\n")

    def flowflare(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the command in its own process, as a user does."""
        command = [str(Path(sys.executable).parent / "flowflare"), *words]
        return subprocess.run(
            command,
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env=os.environ | environment,
        )


@pytest.fixture(scope="session")
def cloudflare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloudflare]:
    programs = ensure_node_packages(root=ROOT)
    data = tmp_path_factory.mktemp("cloudflare")
    settings = process.Settings(data, 0, programs.node, programs.node_modules)
    with skip_coverage():
        running = process.start(settings, lambda _: None)
    cloudflare = Cloudflare(running)
    try:
        yield cloudflare
    finally:
        cloudflare.close()
        process.stop(data)


@pytest.fixture(scope="session")
def warm() -> Iterator[Zygote]:
    """Start a process that forks runs to be killed."""
    with start_zygote() as process:
        yield process


@pytest.fixture
def project(tmp_path: Path, cloudflare: Cloudflare) -> Project:
    return make_project(tmp_path / "shop", cloudflare)


def make_project(root: Path, cloudflare: Cloudflare) -> Project:
    """Copy the example project and give it its own account."""
    for name in FILES:
        source, target = ROOT / name, root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("node_modules"))
        else:
            shutil.copy(source, target)
    return use_cloudflare(root, cloudflare)


def use_cloudflare(root: Path, cloudflare: Cloudflare) -> Project:
    """Point a project at its own new account on the shared Cloudflare."""
    account = uuid4().hex
    project = Project(root, cloudflare.open_account(account))
    project.edit("Pulumi.local.yaml", "f10f1a4ef10f1a4ef10f1a4ef10f1a4e", account)
    point_at(root / "Pulumi.local.yaml", cloudflare.base_url)
    # Commands find a running emulator by its data folder. This link keeps them from starting one.
    (root / ".flowflare").mkdir()
    (root / ".flowflare/emulator").symlink_to(cloudflare.data)
    # Projects share bundles of the same source; a bundle is found by its content.
    bundles = cloudflare.data.with_name("bundles")
    bundles.mkdir(exist_ok=True)
    (root / ".flowflare/cache").symlink_to(bundles)
    _link_packages(root / "node_modules")
    return project


def _link_packages(folder: Path) -> None:
    """Link the checkout's npm packages, also into the folder that `flowflare init` made."""
    if not folder.exists():
        folder.symlink_to(ROOT / "node_modules")
        return
    for package in (ROOT / "node_modules").iterdir():
        if not package.name.startswith("."):
            (folder / package.name).symlink_to(package)
