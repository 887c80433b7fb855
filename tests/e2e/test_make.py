"""The README's commands work with make in a copy of the checkout, as for a new user."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import FILES, ROOT
from tests.ports import find_free_port, is_open, point_at
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
    """Copy the checkout, and link what is already installed."""
    root = tmp_path / "flowflare"
    for name in (*COPIED, *LOCKS):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, root / name)
    for name in (".venv", "node_modules"):
        (root / name).symlink_to(ROOT / name)
    return root


def run_make(root: Path, target: str) -> str:
    # The linked installation belongs to this checkout, so make must not rebuild it.
    installed = ["--old-file", ".venv/run", "--old-file", "node_modules/.run"]
    result = subprocess.run(
        ["make", *installed, target],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_make_up_can_be_repeated_and_make_down_stops_everything(checkout: Path) -> None:
    port = find_free_port()
    point_at(checkout / "Pulumi.local.yaml", f"http://127.0.0.1:{port}/client/v4")

    first = run_make(checkout, "up")
    worker_ports = [int(number) for number in re.findall(r"http://127\.0\.0\.1:(\d+)\n", first)]
    again = run_make(checkout, "up")
    down = run_make(checkout, "down")

    assert re.search(r"Run \S+ of order \S+: Completed", first)
    assert "Next:" in first
    assert "Nothing changed" in again
    assert "deleted" in down
    assert len(worker_ports) == 2
    assert not [number for number in (port, *worker_ports) if is_open(number)]


def test_the_readme_shows_the_real_program_and_configuration() -> None:
    program = (ROOT / "infra/__main__.py").read_text()
    program_block = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    config_block = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert program_block
    assert config_block
    assert [line for line in program_block.group(1).splitlines() if line not in program] == []
    config = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    assert yaml.safe_load(config_block.group(1))["config"] == config


def test_every_page_the_readme_links_to_exists() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_make_command_of_the_readme_is_in_the_makefile() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"(?:\$ |`)make ([a-z]+)", README)) <= set(targets)
