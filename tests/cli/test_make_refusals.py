"""`make` refuses an unusable Python: its name, the problem and the remedy."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import PATIENCE

ROOT = Path(__file__).parent.parent.parent
LOCKS = [path.name for path in ROOT.glob("requirements*.lock")]
NEEDED = ("Makefile", "pyproject.toml", *LOCKS)
NEEDED_BELOW = ("package.json", "package-lock.json", "infra/hatch_build.py")
# A script that acts as another Python: it runs `-c CODE` in this one, after `{made}`.
LIKE = '#!/bin/sh\nexec "{python}" -c "import sys; {made}; exec(sys.argv[1])" "$2"\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files of a fresh clone that `make up` reads."""
    for name in (*NEEDED, *NEEDED_BELOW):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def make(checkout: Path, target: str, python: str) -> tuple[int, str]:
    done = subprocess.run(
        ["make", target, f"PYTHON={python}"],
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def write_python(checkout: Path, made: str) -> str:
    script = checkout / "otherpython"
    script.write_text(LIKE.format(python=sys.executable, made=made))
    script.chmod(0o755)
    return "./otherpython"


@pytest.mark.parametrize("target", ["up", "test"])
def test_an_old_python_is_refused(checkout: Path, target: str) -> None:
    code, said = make(checkout, target, write_python(checkout, "sys.version_info = (3, 9, 2)"))
    assert code == 2, "make's own code for a command that failed"
    assert "Flowflare needs Python 3.11 or newer; ./otherpython is 3.9." in said
    assert f"Name another one: make {target} PYTHON=python3.12" in said
    assert not (checkout / ".venv").exists()


def test_a_python_without_ensurepip_is_refused(checkout: Path) -> None:
    code, said = make(checkout, "up", write_python(checkout, "sys.modules['ensurepip'] = None"))
    assert code == 2
    assert "./otherpython cannot make a virtual environment (no ensurepip)" in said
    assert "apt install python3-venv" in said
    assert not (checkout / ".venv").exists()


def test_a_missing_python_is_refused(checkout: Path) -> None:
    code, said = make(checkout, "up", "python3.99")
    assert code == 2
    assert "python3.99 is not there" in said
    assert "make up PYTHON=python3.12" in said
    assert not (checkout / ".venv").exists()
