"""The README's commands, run with make in a copy of the checkout, as a newcomer does."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import FILES, ROOT
from tests.ports import free_port, is_open, point_at
from tests.support.waiting import PATIENCE

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("make")]

README = (ROOT / "README.md").read_text()
COPIED = (*FILES, "Makefile", "pyproject.toml", "infra/hatch_build.py", ".gitignore")
LOCKS = (
    *(path.name for path in ROOT.glob("requirements*.lock")),
    "package.json",
    "package-lock.json",
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy with what is installed already, and a port of its own."""
    root = tmp_path / "flowflare"
    for name in (*COPIED, *LOCKS):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, root / name)
    for name in (".venv", "node_modules"):
        (root / name).symlink_to(ROOT / name)
    return root


def make(root: Path, target: str) -> str:
    # What is installed is this checkout's and stays as it is.
    installed = ["--old-file", ".venv/run", "--old-file", "node_modules/.run"]
    done = subprocess.run(
        ["make", *installed, target],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_up_again_and_down(checkout: Path) -> None:
    port = free_port()
    point_at(checkout / "Pulumi.local.yaml", f"http://127.0.0.1:{port}/client/v4")

    first = make(checkout, "up")
    worker_ports = [int(number) for number in re.findall(r"http://127\.0\.0\.1:(\d+)\n", first)]
    again = make(checkout, "up")
    down = make(checkout, "down")

    assert re.search(r"Run \S+ of order \S+: Completed", first)
    assert "Next:" in first
    assert "Nothing changed" in again
    assert "deleted" in down
    assert len(worker_ports) == 2
    assert not [number for number in (port, *worker_ports) if is_open(number)]


def test_the_readme_shows_the_program_and_the_configuration_as_they_are() -> None:
    program = (ROOT / "infra/__main__.py").read_text()
    shown = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    configured = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert shown
    assert configured
    assert [line for line in shown.group(1).splitlines() if line not in program] == []
    own = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    assert yaml.safe_load(configured.group(1))["config"] == own


def test_every_page_the_readme_links_to_exists() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_make_command_of_the_readme_is_in_the_makefile() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"(?:\$ |`)make ([a-z]+)", README)) <= set(targets)
