"""`flowflare init` writes a whole project, never over a file, and finishes what a kill left."""

import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.cli.command import flowflare
from tests.uncounted import skip_coverage

#: Kills the process when it gives the n-th file its name.
KILLED = """
import os, signal, sys
names = 0
def watch(event, arguments):
    global names
    if event == "os.rename":
        names += 1
        if names == int(sys.argv[1]):
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
from flowflare.cli.main import main
main(["init", "shop"])
"""
WORKFLOWS = {
    f".github/workflows/{name}.yml" for name in ("plan", "comment", "up", "drift", "fleet")
}


def read_files(root: Path) -> dict[str, bytes]:
    """Return the files that a repository would have, without the npm packages."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and "node_modules" not in path.parts
    }


def test_init_writes_what_a_repository_needs(tmp_path: Path) -> None:
    said = flowflare("init", str(tmp_path / "shop"))
    files = read_files(tmp_path / "shop")
    assert set(files) == WORKFLOWS | {
        *(".gitignore", "README.md", "Pulumi.yaml", "Pulumi.local.yaml", "infra/__main__.py"),
        *("package.json", "package-lock.json", "tsconfig.json", "worker_src/modules.d.ts"),
        *(f"worker_src/orders/{name}" for name in ("package.json", "src/index.js")),
        "worker_src/orders/src/order-workflow.js",
    }
    assert said.out.count("  created  ") == len(files)
    # The tests run a checkout, which has no wheel to pin.
    assert "requirements.txt is missing" in said.err
    assert "--wheel FILE" in said.err


@pytest.mark.parametrize("number", [1, 9, 17])
def test_a_run_that_was_killed_is_finished_by_the_next(tmp_path: Path, number: int) -> None:
    with skip_coverage():
        killed = subprocess.run(
            [sys.executable, "-c", KILLED, str(number)], cwd=tmp_path, check=False
        )
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "shop" / "Pulumi.yaml").exists()
    assert flowflare("init", str(tmp_path / "shop")).code == 0
    assert flowflare("init", str(tmp_path / "whole"), "--name", "shop").code == 0
    assert read_files(tmp_path / "shop") == read_files(tmp_path / "whole")


def test_init_keeps_every_file_and_writes_the_missing_ones(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    own = {"README.md": "mine", ".gitignore": "dist/\n", "infra/__main__.py": "# mine\n"}
    for path, text in own.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    (root / "tsconfig.json").symlink_to("missing.json")
    said = flowflare("init", str(root))
    assert said.code == 0
    assert {path: (root / path).read_text() for path in own} == own
    assert (root / "tsconfig.json").readlink() == Path("missing.json")
    assert f"  kept     {root / 'README.md'}" in said.out
    assert f"Add to {root / '.gitignore'}: .venv/ node_modules/" in said.err
    assert (root / "Pulumi.yaml").exists()


def test_a_project_gets_the_files_of_its_repository_and_no_second_program(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (tmp_path / "package.json").write_text('{"dependencies": {"hono": "4.0.0"}}')
    said = flowflare("init", str(tmp_path), "--ci", "gitlab")
    assert said.code == 0
    assert set(read_files(tmp_path)) == {
        *("Pulumi.yaml", "package.json", ".gitlab-ci.yml", ".gitignore", "README.md"),
        *("tsconfig.json", "worker_src/modules.d.ts"),
    }
    assert said.out.rpartition("Next:  ")[2].endswith(" preview\n")


def test_the_wheel_that_the_requirements_name_is_part_of_the_project(tmp_path: Path) -> None:
    wheel, root = tmp_path / "flowflare-9.1.0-py3-none-any.whl", tmp_path / "shop"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("flowflare/_data/requirements.lock", "attrs==1 --hash=sha256:00\n")
    assert flowflare("init", str(root)).code == 0
    said = flowflare("init", str(root), "--wheel", str(wheel))
    assert said.out.count("  created  ") == 2
    assert (root / "vendor" / wheel.name).read_bytes() == wheel.read_bytes()
    assert f"./vendor/{wheel.name} " in (root / "requirements.txt").read_text()
    assert "requirements.txt is missing" not in flowflare("init", str(root)).err

    (root / "requirements.txt").unlink()
    (root / "vendor" / wheel.name).write_bytes(b"another")
    said = flowflare("init", str(root), "--wheel", str(wheel))
    assert said.code == 1
    assert "is another wheel; nothing was written" in said.err
    assert not (root / "requirements.txt").exists()


def test_a_project_in_a_part_of_a_repository_learns_where_workflows_are_read(
    tmp_path: Path,
) -> None:
    (tmp_path / ".git").mkdir()
    said = flowflare("init", str(tmp_path / "services/shop"))
    assert f"only from the repository's top folder, {tmp_path}: move" in said.err
    assert "top folder" not in flowflare("init", str(tmp_path), "--name", "shop").err
    assert "top folder" not in flowflare("init", str(tmp_path / "x"), "--ci", "none").err


def test_a_service_without_workflows_has_none(tmp_path: Path) -> None:
    assert flowflare("init", str(tmp_path), "--name", "shop", "--ci", "none").code == 0
    assert not [path for path in read_files(tmp_path) if path.startswith(".git") and "/" in path]
    assert "plan.yml" not in (tmp_path / "README.md").read_text()
    assert flowflare("init", str(tmp_path), "--ci", "jenkins").code == 2
