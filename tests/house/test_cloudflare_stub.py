"""mypy knows the arguments of Cloudflare's resources: the stub is current and refuses mistakes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.generate_cloudflare_stub import stub

ROOT = Path(__file__).parents[2]
STUB = ROOT / "infra" / "flowflare" / "kinds" / "cloudflare.pyi"
PROGRAM = """\
from flowflare.kinds import cloudflare

cloudflare.WorkersScript("right", logpush=True, bindings=[])
cloudflare.WorkersScript("misspelt", logpsuh=True)
cloudflare.WorkersScriptTailConsumerArgs(service=1)
cloudflare.D1Database("missing").uid
"""


def formatted(text: str) -> str:
    words = [sys.executable, "-m", "ruff", "format", "--quiet", "--stdin-filename", str(STUB), "-"]
    return subprocess.run(
        words, cwd=ROOT, input=text, capture_output=True, text=True, check=True
    ).stdout


def test_the_stub_has_the_classes_of_the_installed_package() -> None:
    text = formatted(stub())
    if os.environ.get("FLOWFLARE_REWRITE_GOLDEN"):
        STUB.write_text(text, "utf-8")
    assert STUB.read_text("utf-8") == text, "run: make docs"


@pytest.mark.long
def test_mypy_refuses_a_misspelt_argument(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    config = re.sub(r"^packages = .*\n", "", (ROOT / "pyproject.toml").read_text(), flags=re.M)
    config = config.replace('mypy_path = ["infra"]', f'mypy_path = ["{ROOT / "infra"}"]')
    (tmp_path / "pyproject.toml").write_text(config)
    words = [sys.executable, "-m", "mypy", "--cache-dir", str(ROOT / ".mypy_cache"), "program.py"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert re.findall(r"^program\.py:(\d+): error", done.stdout, re.MULTILINE) == ["4", "5", "6"], (
        done.stdout + done.stderr
    )
