"""Runs that can be killed: children of one warm process, see `zygote.py`."""

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
    """The warm process that forks runs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def start(self, root: Path, do: str, stack: str = "local") -> int:
        """Starts `up` or `destroy` in a project and returns its process id."""
        assert self._process.stdin is not None
        command = {"root": str(root), "stack": stack, "do": do}
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return int(self._answer()["pid"])

    def wait(self) -> int:
        """How the run ended: its exit code, or minus the signal that killed it."""
        return int(self._answer()["exit"])

    def kill_when(
        self, root: Path, do: str, reached: Callable[[], bool], stack: str = "local"
    ) -> int:
        """Starts a run and kills it with SIGKILL as soon as something has happened."""
        pid = self.start(root, do, stack)
        wait_until(reached)
        os.kill(pid, signal.SIGKILL)
        return self.wait()

    def _answer(self) -> dict[str, int]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the warm process has ended"
        return json.loads(line)


@contextmanager
def zygote() -> Iterator[Zygote]:
    """A warm process for as long as the block."""
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
    return lambda: fault.fired() > 0
