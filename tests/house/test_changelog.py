"""CHANGELOG.md is made by towncrier from the fragments in changelog.d."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
#: Files that keep an empty folder in git. towncrier ignores them.
KEEPING = {".gitkeep"}


def draft(folder: Path) -> str:
    """Render the fragments of a project's folder, in lines of one space between words."""
    build = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "9.9.9"]
    done = subprocess.run(
        [*build, "--dir", str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return " ".join(done.stdout.split())


def test_every_fragment_becomes_a_line_of_the_changelog() -> None:
    fragments = {
        path.name: " ".join(path.read_text("utf-8").split())
        for path in (ROOT / "changelog.d").iterdir()
        if path.name not in KEEPING
    }
    rendered = draft(ROOT) if fragments else ""
    assert [name for name, text in fragments.items() if f"- {text}" not in rendered] == []


def test_no_fragment_is_shown_with_the_words_of_its_file_name() -> None:
    names = {path.name for path in (ROOT / "changelog.d").iterdir()} - KEEPING
    assert [name for name in names if not name.startswith("+")] == [], "write +<words>.<kind>.md"


@pytest.mark.parametrize("kind", ["added", "changed", "fixed", "removed", "security"])
def test_a_fragment_of_each_kind_is_rendered_below_its_heading(tmp_path: Path, kind: str) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "changelog.d").mkdir()
    (tmp_path / "changelog.d" / f"+two-words.{kind}.md").write_text("`up` has an option.\n")
    assert f"### {kind.capitalize()} - `up` has an option." in draft(tmp_path)
    assert "two-words" not in draft(tmp_path)


def test_the_changelog_has_the_current_version_and_travels_in_the_source_distribution() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert f"\n## {PROJECT['project']['version']} (" in changelog
    shipped = PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["only-include"]
    assert "CHANGELOG.md" in shipped
