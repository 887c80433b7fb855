"""Control one worker process of a pool, and determine how many workers fit a machine."""

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

from flowflare.engine.pulumi_cli.children import end_left_behind, mark_of
from flowflare.fleet.workers.worker_process import END_OF_OUTPUT

_MODULE: Final = "flowflare.fleet.workers.worker_process"
#: The environment variables of a worker without a task. The other variables may contain secrets.
_PASSED: Final = frozenset(
    {"PATH", "HOME", "LANG", "TMPDIR", "TEMP", "TMP", "TZ", "USER", "VIRTUAL_ENV", "SYSTEMROOT"}
)
_PASSED_PREFIXES: Final = ("LC_", "XDG_", "PYTHON", "COV", "PULUMI_HOME", "PULUMI_PYTHON")
#: The largest number of workers of one machine.
MOST: Final = 8
#: Bytes of memory per worker: 120 MB for the worker, measured over 1,000 previews, and the rest for
#: the Pulumi CLI, its program and its plugin, if the stack needs the CLI.
MEMORY: Final = 512 * 1024 * 1024
_LAST_LINES: Final = 20
#: Seconds that a dismissed worker has to end, slightly more than the longest API call.
_GRACE: Final = 95.0

Message = Mapping[str, Any]


class Worker:
    """A process, and threads that read its messages and its output.

    Args:
        root: the process's working directory.
        put: is called with `(worker, message)`; the message is None when the process has ended.
    """

    def __init__(self, root: Path, put: "Callable[[tuple[Worker, Message | None]], None]") -> None:
        self._put = put
        self._root = root
        self._output: deque[str] = deque(maxlen=_LAST_LINES)
        self._output_ended = threading.Event()
        self.was_ready = False
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", _MODULE],
            cwd=root,
            env=_select_environ(os.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Ctrl-C must not reach the worker: the parent handles it, and the task finishes.
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._tasks = self._process.stdin
        output = (self._process.stderr,)
        self._output_reader = threading.Thread(target=self._read_output, args=output, daemon=True)
        self._output_reader.start()
        messages = (self._process.stdout,)
        threading.Thread(target=self._read_messages, args=messages, daemon=True).start()

    @property
    def pid(self) -> int:
        """The process ID."""
        return self._process.pid

    def send(self, task: Message) -> None:
        """Send a task. If the process has just ended, the reader of its messages reports that."""
        self._output.clear()
        self._output_ended.clear()
        with contextlib.suppress(OSError, ValueError):
            self._tasks.write(json.dumps(task).encode() + b"\n")
            self._tasks.flush()

    def dismiss(self) -> None:
        """Close the process's input: no more tasks follow, and no result is awaited."""
        with contextlib.suppress(OSError):
            self._tasks.close()

    def wait(self) -> None:
        """Wait for the process to end, and kill it after a grace period."""
        try:
            self._process.wait(_GRACE)
        except BaseException as error:
            self.kill()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
        self._output_reader.join(1)

    def kill(self) -> None:
        """Kill the process and its children."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        # The Pulumi CLI is in this process group, but its plugins have their own groups.

        end_left_behind(mark_of(self._root))

    def describe_end(self) -> str:
        """Describe how the process ended: the exit code or signal, and its last line of output."""
        self.dismiss()
        self.wait()
        code = self._process.returncode
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        last = next((line for line in reversed(self._output) if line.strip()), "")
        return f"{how}; its last output was: {last.strip()}" if last else how

    def remedy(self) -> str:
        """Suggest what may help, if known; otherwise empty."""
        if self._process.returncode == -signal.SIGKILL:
            return "If it ran out of memory, use fewer workers: --workers 1"
        return ""

    def _read_messages(self, messages: IO[bytes]) -> None:
        # A program can write to this pipe, too. An unreadable line ends the worker, not the pool.
        with messages, contextlib.suppress(ValueError, OSError, TypeError):
            for line in messages:
                message = json.loads(line)
                self.was_ready = self.was_ready or "ready" in message
                if "ok" in message:
                    self._wait_for_output()
                self._put((self, message))
        self._put((self, None))

    def _read_output(self, output: IO[bytes]) -> None:
        with output, contextlib.suppress(ValueError, OSError):
            for raw in output:
                text, end, _ = raw.partition(END_OF_OUTPUT)
                line = text.decode(errors="replace").rstrip("\n")
                if line or not end:
                    self._output.append(line)
                    self._put((self, {"said": line}))
                if end:
                    self._output_ended.set()

    def _wait_for_output(self) -> None:
        """Wait until all output of the task's program is read, so that it counts for the task."""
        while self._output_reader.is_alive() and not self._output_ended.wait(0.1):
            pass


def default_workers(memory: int = MEMORY) -> int:
    """Return how many workers fit this machine's cores and free memory.

    Args:
        memory: bytes per worker.
    """
    return max(1, min(MOST, _count_cores(), _free_memory() // memory))


def _count_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _free_memory() -> int:
    """Return the free bytes of the machine and the container; enough for `MOST` if unknown."""
    found = [MOST * MEMORY]
    with contextlib.suppress(OSError, ValueError, IndexError):
        text = Path("/proc/meminfo").read_text()
        line = next(line for line in text.splitlines() if line.startswith("MemAvailable:"))
        found.append(int(line.split()[1]) * 1024)
    with contextlib.suppress(OSError, ValueError):  # the file contains `max` without a limit
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
        found.append(limit - int(Path("/sys/fs/cgroup/memory.current").read_text()))
    return min(found)


def _select_environ(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environ.items()
        if name in _PASSED or name.startswith(_PASSED_PREFIXES)
    }
