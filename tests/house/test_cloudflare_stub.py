"""mypy knows the arguments of Cloudflare's resources: the generated stub refuses mistakes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.generate_cloudflare_stub import STUB, stub

ROOT = Path(__file__).parents[2]
PROGRAM = """\
from flowflare.kinds import cloudflare

cloudflare.WorkersScript("right", logpush=True, bindings=[])
cloudflare.WorkersScript("misspelt", logpsuh=True)
cloudflare.WorkersScriptTailConsumerArgs(service=1)
cloudflare.D1Database("missing").uid
"""


@pytest.mark.long
def test_mypy_refuses_a_misspelt_argument(tmp_path: Path) -> None:
    STUB.write_text(stub(), "utf-8")
    (tmp_path / "program.py").write_text(PROGRAM)
    config = re.sub(r"^packages = .*\n", "", (ROOT / "pyproject.toml").read_text(), flags=re.M)
    config = config.replace('mypy_path = ["infra"]', f'mypy_path = ["{ROOT / "infra"}"]')
    (tmp_path / "pyproject.toml").write_text(config)
    words = [sys.executable, "-m", "mypy", "--cache-dir", str(ROOT / ".mypy_cache"), "program.py"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert re.findall(r"^program\.py:(\d+): error", done.stdout, re.MULTILINE) == ["4", "5", "6"], (
        done.stdout + done.stderr
    )
