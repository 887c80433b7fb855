"""Run `up` and other operations as children of a warm process, to be killed; see `zygote.py`."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.embedded import Fault
from tests.support.waiting import PATIENCE, wait_until

ZYGOTE = Path(__file__).parent / "zygote.py"


class Zygote:
    """A process that has imported everything and forks runs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def start(self, root: Path, do: str, stack: str = "local") -> int:
        """Start `up` or another operation in a project and return its process ID."""
        assert self._process.stdin is not None
        command = {"root": str(root), "stack": stack, "do": do}
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return int(self._answer()["pid"])

    def wait(self) -> int:
        """Wait until the run ends; return its exit code, or minus the signal that killed it."""
        return int(self._answer()["exit"])

    def kill_when(
        self, root: Path, do: str, is_reached: Callable[[], bool], stack: str = "local"
    ) -> int:
        """Start a run and kill it with SIGKILL as soon as a condition is true."""
        pid = self.start(root, do, stack)
        wait_until(is_reached)
        os.kill(pid, signal.SIGKILL)
        return self.wait()

    def _answer(self) -> dict[str, int]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the warm process has ended"
        return json.loads(line)


@contextmanager
def start_zygote() -> Iterator[Zygote]:
    """Start a warm process for the duration of the block."""
    command = [sys.executable, str(ZYGOTE)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        warm = Zygote(process)
        assert process.stdout is not None
        assert json.loads(process.stdout.readline()) == {"ready": 1}
        try:
            yield warm
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(PATIENCE)


def has_fired(fault: Fault) -> Callable[[], bool]:
    return lambda: fault.count_fired() > 0
