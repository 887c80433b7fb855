"""The test command itself: it ends when a test hangs, and Ctrl-C works where it was ignored."""

import os
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
HANGS = """
import asyncio

import pytest


@pytest.mark.xdist_group("group")
@pytest.mark.parametrize("number", range(4))
def test_of_a_group(number):
    if number == 1:
        asyncio.run(forget())


async def forget():
    answer = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(1 .__truediv__, 0)
    await answer  # never resolved


@pytest.mark.parametrize("number", range(3))
def test_of_no_group(number):
    pass
"""
INTERRUPTS = """
import os
import signal
import subprocess
import sys
import time

import pytest


def test_of_this_process():
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
        while True:
            time.sleep(1)


def test_of_a_child():
    wait = "print(flush=True)\\nwhile True:\\n    import time; time.sleep(1)"
    with subprocess.Popen(
        [sys.executable, "-c", wait], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        child.stdout.readline()
        child.send_signal(signal.SIGINT)
        assert child.wait() == -signal.SIGINT
"""


def run_pytest(
    folder: Path, test: str, *options: str, seconds: int, before: str = ""
) -> subprocess.CompletedProcess[str]:
    """Runs a test file with the hooks and options of this repository, from a shell."""
    shutil.copy(ROOT / "tests/support/ending.py", folder / "conftest.py")
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    markers = "".join(f"\n  {marker}" for marker in settings["markers"])
    (folder / "pytest.ini").write_text(
        f"[pytest]\naddopts = {' '.join(settings['addopts'])}\nmarkers ={markers}\n"
    )
    (folder / "test_it.py").write_text(test)
    command = f"{before} exec {sys.executable} -m pytest -p no:cacheprovider {' '.join(options)}"
    return subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env={**os.environ, "FLOWFLARE_TEST_SECONDS": str(seconds), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_test_that_waits_for_ever_ends_the_run_with_all_stacks(
    tmp_path: Path, workers: str
) -> None:
    ended = run_pytest(tmp_path, HANGS, "-n", workers, "--dist", "loadgroup", seconds=5)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "Timeout (0:00:05)!" in ended.stderr
    assert "in test_of_a_group" in ended.stderr
    if workers != "0":
        assert "crashed while running 'test_it.py::test_of_a_group[1]" in ended.stdout, ended.stdout
        left = ended.stdout.partition("It still had to run")[2].partition("=\n")[2]
        assert [one for one in range(4) if f"test_of_a_group[{one}]" in left] == [1, 2, 3]


@pytest.mark.parametrize("workers", ["0", "2"])
def test_ctrl_c_reaches_tests_where_the_shell_ignores_it(tmp_path: Path, workers: str) -> None:
    ended = run_pytest(tmp_path, INTERRUPTS, "-n", workers, seconds=60, before="trap '' INT;")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "2 passed" in ended.stdout


def test_the_shell_of_these_tests_ignores_ctrl_c() -> None:
    """What the tests above start from, or they would pass without a conftest."""
    ignores = f"trap '' INT; exec {sys.executable} -c 'import signal; print(signal.getsignal(2))'"
    said = subprocess.run(["sh", "-c", ignores], capture_output=True, text=True, check=True)
    assert str(signal.SIG_IGN) in said.stdout or said.stdout.strip() == "1"
