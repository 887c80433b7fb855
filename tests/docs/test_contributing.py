"""CONTRIBUTING.md and tests/README.md: commands select tests, and named files exist."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
TESTS = (ROOT / "tests" / "README.md").read_text("utf-8")
COMMANDS = re.findall(r"`(\.venv/bin/pytest [^`]+)`", CONTRIBUTING)
TARGETS = sorted(set(re.findall(r"\bmake ([a-z-]+)", CONTRIBUTING + TESTS)))
MODULES = re.findall(r"`python -m ([\w.]+)`", CONTRIBUTING)


def test_the_page_has_commands_to_run() -> None:
    assert COMMANDS
    assert MODULES
    assert {"test", "check", "golden", "docs"} <= set(TARGETS)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.long
def test_a_sample_command_selects_tests(command: str) -> None:
    words = shlex.split(command)[1:]
    run = [sys.executable, "-m", "pytest", *words, "--collect-only", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr  # 5 is pytest's code for no test
    assert "::" in done.stdout


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_that_the_pages_name_exists(target: str) -> None:
    assert re.search(rf"^{target}:.*##", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_that_the_page_runs_exists(module: str) -> None:
    assert ROOT.joinpath(*module.split(".")).with_suffix(".py").is_file()


def test_every_folder_of_tests_is_listed_and_every_listed_file_exists() -> None:
    folders = {
        path.name
        for path in (ROOT / "tests").iterdir()
        if path.is_dir() and any(path.rglob("test_*.py"))
    }
    assert set(re.findall(r"^\| `(\w+)/` \|", TESTS, re.MULTILINE)) == folders
    named = re.findall(r"`([\w/]+(?:/|\.py))`", TESTS)
    assert [name for name in named if not (ROOT / "tests" / name).exists()] == []


def test_the_places_for_new_code_exist() -> None:
    _, _, table = CONTRIBUTING.partition("## Where new code goes")
    rows = [row for row in table.partition("\nImports go one way")[0].splitlines() if "|" in row]
    named = {name for row in rows[2:] for name in re.findall(r"`([^`<>]+/[^`<>]*)`", row)}
    roots = (ROOT, ROOT / "infra" / "flowflare")
    assert [name for name in named if not any((root / name).exists() for root in roots)] == []
