"""The test command ends: when a test hangs, when a worker dies, and where Ctrl-C is ignored."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.tiers import keep_every

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 200  # seconds: a run that does not end is ended by the test, which fails
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
KILLED = """
import os
import signal

import pytest


@pytest.mark.xdist_group("group")
@pytest.mark.parametrize("number", range(4))
def test_of_a_group(number):
    with open(f"{number}.ran", "a") as runs:
        runs.write(os.environ["PYTEST_XDIST_WORKER"] + "\\n")
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("number", range(3))
def test_of_no_group(number):
    pass
"""
NEVER_EXITS = """
import threading


def test_starts_a_thread_that_never_ends():
    threading.Thread(target=threading.Event().wait, name="forgotten").start()
"""
GROUPED = """
import os
from pathlib import Path

import pytest


@pytest.mark.xdist_group("group")
@pytest.mark.parametrize("number", range(20))
def test_of_a_group(number):
    Path(os.environ["PYTEST_XDIST_WORKER"]).touch()
"""
INTERRUPTS = """
import os
import signal
import subprocess
import sys

import pytest


def test_of_this_process():
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
        signal.pause()


def test_of_a_child():
    wait = "import signal; print(flush=True); signal.pause()"
    with subprocess.Popen(
        [sys.executable, "-c", wait], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        child.stdout.readline()
        child.send_signal(signal.SIGINT)
        assert child.wait() == -signal.SIGINT
"""


def run_pytest(
    folder: Path, test: str, *options: str, limit: int = 120, before: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a test file from a shell, with the hooks and options of this repository."""
    (folder / "conftest.py").write_text("from tests.conftest import *\n")
    (folder / "test_it.py").write_text(test)
    words = ["-c", str(ROOT / "pyproject.toml"), "-p xdist.plugin -p no:cacheprovider", *options]
    return subprocess.run(
        ["sh", "-c", f"{before} exec {sys.executable} -m pytest {' '.join(words)} test_it.py"],
        cwd=folder,
        env={
            **os.environ,
            "FLOWFLARE_TEST_SECONDS": str(limit),
            "PYTHONPATH": str(ROOT),
            "PYTEST_ADDOPTS": "",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.parametrize("options", keep_every(2, ["-n 2 --dist loadgroup", "-n 0"]))
def test_a_test_that_hangs_ends_the_run_with_the_stacks_of_all_threads(
    tmp_path: Path, options: str
) -> None:
    ended = run_pytest(tmp_path, HANGS, options, limit=5)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "Timeout (0:00:05)!" in ended.stderr
    assert "in test_of_a_group" in ended.stderr


@pytest.mark.parametrize("dist", keep_every(2, ["loadgroup", "load"]))
def test_a_killed_worker_ends_the_run_and_its_tests_are_named(tmp_path: Path, dist: str) -> None:
    ended = run_pytest(tmp_path, KILLED, "-n 2 --dist", dist)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "crashed while running" in ended.stdout
    assert "test_of_a_group[1]" in ended.stdout
    # The worker that is left does not run the test that killed the other.
    assert len((tmp_path / "1.ran").read_text().splitlines()) == 1
    if dist == "loadgroup":
        left = ended.stdout.partition("because a worker died. It left")[2]
        assert [number for number in range(4) if f"test_of_a_group[{number}]" in left] == [1, 2, 3]
        assert not (tmp_path / "2.ran").exists()


@pytest.mark.long
def test_a_thread_that_never_ends_does_not_keep_the_run_waiting(tmp_path: Path) -> None:
    ended = run_pytest(tmp_path, NEVER_EXITS, limit=5)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "1 passed" in ended.stdout
    assert "Timeout (0:00:05)!" in ended.stderr


def test_one_worker_runs_all_tests_of_a_group(tmp_path: Path) -> None:
    ended = run_pytest(tmp_path, GROUPED, "-n 2 --dist loadgroup")
    assert "20 passed" in ended.stdout, ended.stdout + ended.stderr
    assert len(list(tmp_path.glob("gw*"))) == 1


@pytest.mark.parametrize("workers", keep_every(2, ["2", "0"]))
def test_ctrl_c_reaches_tests_where_the_shell_ignores_it(tmp_path: Path, workers: str) -> None:
    ended = run_pytest(tmp_path, INTERRUPTS, "-n", workers, before="trap '' INT;")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "2 passed" in ended.stdout


def test_the_shell_of_these_tests_ignores_ctrl_c() -> None:
    """Without this, the test above would also pass without the repository's hooks."""
    ask = "import signal; print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"
    shell = f"trap '' INT; exec {sys.executable} -c '{ask}'"
    answer = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "True"
