"""The installed wheel creates a project that can be deployed."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, Project, use_cloudflare
from tests.e2e.embedded import Cloudflare
from tests.support.waiting import PATIENCE

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]


@pytest.fixture(scope="module")
def flowflare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel in an environment; return its `flowflare`.

    The other packages are those of the tests' environment.
    """
    folder = tmp_path_factory.mktemp("wheel")
    uv = [str(Path(sys.executable).parent / "uv"), "--quiet", "--offline"]
    build = [*uv, "build", "--wheel", "--no-build-isolation", "--out-dir", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True)
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin/python"
    wheel = next(folder.glob("*.whl"))
    install = ["pip", "install", "--no-deps", "--no-index", "--python", str(python), str(wheel)]
    subprocess.run([*uv, *install], check=True)
    # This adds a folder and not an environment, so the checkout's editable install is not found.
    packages = next(environment.glob("lib/python3*/site-packages"))
    (packages / "others.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return environment / "bin/flowflare"


def test_the_source_distribution_builds_the_same_wheel_as_the_checkout(tmp_path: Path) -> None:
    uv = [str(Path(sys.executable).parent / "uv"), "--quiet", "--offline", "build"]
    build = [*uv, "--no-build-isolation", "--out-dir"]
    subprocess.run([*build, str(tmp_path / "sdist")], cwd=ROOT, check=True)
    subprocess.run([*build, str(tmp_path / "checkout"), "--wheel"], cwd=ROOT, check=True)
    [from_sdist] = (tmp_path / "sdist").glob("*.whl")
    [direct] = (tmp_path / "checkout").glob("*.whl")
    assert from_sdist.read_bytes() == direct.read_bytes()


def run(command: Path, *words: str, cwd: Path) -> str:
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    result = subprocess.run(
        [str(command), *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=environ,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.long
def test_init_creates_a_project_that_can_be_deployed(
    flowflare: Path, cloudflare: Cloudflare, tmp_path: Path
) -> None:
    run(flowflare, "init", "mine", cwd=tmp_path)
    root = tmp_path / "mine"
    written = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    mine = use_cloudflare(root, cloudflare)

    up = json.loads(run(flowflare, "up", "--json", cwd=mine.root))
    order = json.loads(run(flowflare, "order", "--json", cwd=mine.root))

    assert {"Pulumi.yaml", "requirements.txt", ".github/workflows/up.yml"} < written
    [wheel] = [name for name in written if name.startswith("vendor/")]
    assert f"./{wheel} \\\n    --hash=sha256:" in (root / "requirements.txt").read_text()
    assert (up["changed"], order["status"]) == (11, "Completed")


def test_wheel_and_checkout_render_the_same_bytes(flowflare: Path, project: Project) -> None:
    ours = json.loads(project.flowflare("render", "--json", "--out", "ours").stdout)
    theirs = json.loads(run(flowflare, "render", "--json", "--out", "theirs", cwd=project.root))
    assert [worker["sha256"] for worker in ours] == [worker["sha256"] for worker in theirs]


@pytest.mark.long
def test_the_emulator_runs_in_an_empty_folder(flowflare: Path, tmp_path: Path) -> None:
    # The machine's cache may not have the Node packages of the wheel, which a folder may bring.
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    run(flowflare, "emulator", "start", cwd=tmp_path)
    try:
        assert json.loads(run(flowflare, "emulator", "status", "--json", cwd=tmp_path))["running"]
        assert "CLOUDFLARE_API_TOKEN" in run(flowflare, "emulator", "env", cwd=tmp_path)
        run(flowflare, "emulator", "logs", cwd=tmp_path)
    finally:
        run(flowflare, "emulator", "stop", cwd=tmp_path)
    assert (tmp_path / ".flowflare/emulator/token").exists()
