"""Make git repositories that contain a project."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.review.registry import registry as registry  # noqa: PLC0414 -- a fixture

ROOT = Path(__file__).parent.parent.parent
PULUMI = """\
name: shop
runtime: python
main: infra/
config:
  flowflare:clients:
    value:
      orders:
        source: worker_src/orders/src/index.js
        workflows: {order-processing: {className: OrderWorkflow}}
"""


def stack_file(tenant: str, **more: str) -> str:
    keys = {
        "accountId": "f10f1a4ef10f1a4ef10f1a4ef10f1a4e",
        "tenant": tenant,
        "environment": "prod",
        "allowedOrigins": f'["https://{tenant}.example"]',
    }
    lines = [f"  flowflare:{key}: {value}\n" for key, value in (keys | more).items()]
    return f"config:\n{''.join(lines)}"


@dataclass(frozen=True)
class Repo:
    """A git repository that contains a project in one of its folders."""

    top: Path
    project: Path

    def commit(self, files: Mapping[str, str | None], subject: str = "change") -> str:
        for name, text in files.items():
            path = self.project / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8", newline="")
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", subject)
        return self.git("rev-parse", "HEAD")

    def git(self, *words: str) -> str:
        who = ["-c", "user.name=Ann", "-c", "user.email=ann@shop.example", "-c", "gc.auto=0"]
        command = ["git", *who, "-c", "protocol.file.allow=always", *words]
        done = subprocess.run(command, cwd=self.top, capture_output=True, text=True, check=True)
        return done.stdout.strip()


def repository(top: Path, folder: str = ".") -> Repo:
    """Make an empty repository."""
    top.mkdir(parents=True)
    repo = Repo(top, top / folder)
    repo.project.mkdir(exist_ok=True, parents=True)
    repo.git("init", "-q", "-b", "main")
    return repo


def track_tenants(top: Path, folder: str = ".", program: str | None = None) -> Repo:
    """Make a repository with one commit: the tracking of two tenants."""
    repo = repository(top, folder)
    shutil.copytree(ROOT / "worker_src/orders", repo.project / "worker_src/orders")
    files = {f"Pulumi.{name}.yaml": stack_file(name) for name in ("ann", "bea")}
    fleet = (ROOT / "infra/__main__.py").read_text(encoding="utf-8")
    repo.commit(files | {"Pulumi.yaml": PULUMI, "infra/__main__.py": program or fleet}, "base")
    return repo


@pytest.fixture
def bare(tmp_path: Path) -> Repo:
    return repository(tmp_path / "bare")
