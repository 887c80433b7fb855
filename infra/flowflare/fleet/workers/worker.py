"""One worker process of a pool as its parent sees it, and how many of them a machine can have."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Final

from flowflare.fleet.workers.worker_process import END_OF_OUTPUT

_MODULE: Final = "flowflare.fleet.workers.worker_process"
#: What a worker has of the environment before it has a task; secrets lie in the rest.
_PASSED: Final = frozenset(
    {"PATH", "HOME", "LANG", "TMPDIR", "TEMP", "TMP", "TZ", "USER", "VIRTUAL_ENV", "SYSTEMROOT"}
)
_PASSED_PREFIXES: Final = ("LC_", "XDG_", "PYTHON", "COV", "PULUMI_HOME", "PULUMI_PYTHON")
#: Most workers of one machine.
MOST: Final = 8
#: Bytes of memory to reckon with: 120 MB of a worker, as measured over 1,000 previews, and the rest
#: for the Pulumi CLI, its program and its plugin, where the stack is the CLI's.
MEMORY: Final = 512 * 1024 * 1024
_LAST_WORDS: Final = 20
#: Seconds that a worker has to end when it is dismissed: the longest call and a little more.
_GRACE: Final = 95.0

Message = Mapping[str, Any]


class Worker:
    """A process, and threads that read what it says.

    Args:
        root: the folder that it runs in.
        put: takes `(worker, message)`; None as the message when it has ended.
    """

    def __init__(self, root: Path, put: "Callable[[tuple[Worker, Message | None]], None]") -> None:
        self._put = put
        self._root = root
        self._said: deque[str] = deque(maxlen=_LAST_WORDS)
        self._output_ended = threading.Event()
        self.was_ready = False
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", _MODULE],
            cwd=root,
            env=_environment(os.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Ctrl-C is the parent's: a worker comes to its end.
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._tasks = self._process.stdin
        words = threading.Thread(target=self._hear, args=(self._process.stderr,), daemon=True)
        self._words = words
        words.start()
        threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True).start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def send(self, task: Message) -> None:
        """Gives it a task; one that has just ended does not get it, which is noticed as its end."""
        self._said.clear()
        self._output_ended.clear()
        with contextlib.suppress(OSError, ValueError):
            self._tasks.write(json.dumps(task).encode() + b"\n")
            self._tasks.flush()

    def dismiss(self) -> None:
        """Tells it that there come no more tasks and nobody waits for what it does."""
        with contextlib.suppress(OSError):
            self._tasks.close()

    def wait(self) -> None:
        """Waits for its end, and ends it if it does not come."""
        try:
            self._process.wait(_GRACE)
        except BaseException as error:
            self.kill()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
        self._words.join(1)

    def kill(self) -> None:
        """Ends it at once, with whatever it has started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        # A CLI of this process group is gone with it, and its plugins are in groups of their own.
        from flowflare.engine.pulumi.children import end_left_behind, mark_of

        end_left_behind(mark_of(self._root))

    def why(self) -> str:
        """How it ended, in words: the exit code or signal, and the last line that it said."""
        self.dismiss()
        self.wait()
        code = self._process.returncode
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        last = next((line for line in reversed(self._said) if line.strip()), "")
        return f"{how}; it said: {last.strip()}" if last else how

    def remedy(self) -> str:
        """What may help, where its end tells."""
        if self._process.returncode == -signal.SIGKILL:
            return "If it was out of memory, run fewer at a time: --workers 1"
        return ""

    def _read(self, answers: IO[bytes]) -> None:
        # A program can write to this pipe too. What cannot be read ends the worker, not the pool.
        with answers, contextlib.suppress(ValueError, OSError, TypeError):
            for line in answers:
                message = json.loads(line)
                self.was_ready = self.was_ready or "ready" in message
                if "ok" in message:
                    self._wait_for_output()
                self._put((self, message))
        self._put((self, None))

    def _hear(self, words: IO[bytes]) -> None:
        with words, contextlib.suppress(ValueError, OSError):
            for raw in words:
                text, end, _ = raw.partition(END_OF_OUTPUT)
                line = text.decode(errors="replace").rstrip("\n")
                if line or not end:
                    self._said.append(line)
                    self._put((self, {"said": line}))
                if end:
                    self._output_ended.set()

    def _wait_for_output(self) -> None:
        """Wait until all that the task's program printed has been put, so that it is the task's."""
        while self._words.is_alive() and not self._output_ended.wait(0.1):
            pass


def default_workers(memory: int = MEMORY) -> int:
    """How many workers this machine can have: by its cores and by the memory that is free.

    Args:
        memory: bytes that one takes.
    """
    return max(1, min(MOST, _cores(), _free_memory() // memory))


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _free_memory() -> int:
    """Bytes that are free, on the machine and in the container; plenty where nothing tells."""
    found = [MOST * MEMORY]
    with contextlib.suppress(OSError, ValueError, IndexError):
        text = Path("/proc/meminfo").read_text()
        line = next(one for one in text.splitlines() if one.startswith("MemAvailable:"))
        found.append(int(line.split()[1]) * 1024)
    with contextlib.suppress(OSError, ValueError):  # `max` without a limit
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
        found.append(limit - int(Path("/sys/fs/cgroup/memory.current").read_text()))
    return min(found)


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environ.items()
        if name in _PASSED or name.startswith(_PASSED_PREFIXES)
    }
