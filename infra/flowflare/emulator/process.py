"""Start, find and stop the emulator in the background.

Starting it twice is harmless: the second start finds the running emulator. Leftovers of a crash (a
pid file of a dead or reused process, an unfinished write) do not prevent a start.
"""

import contextlib
import fcntl
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowflare.emulator import pidfile
from flowflare.emulator.api_token import make_private, read_token
from flowflare.emulator.environment import needed_environment
from flowflare.errors import EmulatorError

_START_PATIENCE = 90.0
_STOP_PATIENCE = 20.0
_MAX_LOG_BYTES = 10_000_000

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """Hold an emulator's options: data folder, port (0 for any), Node and its packages.

    Attributes:
        shared: whether it stops when no process uses it any more, as `users` says.
    """

    data: Path
    port: int
    node: Path
    node_modules: Path
    shared: bool = False


@dataclass(frozen=True)
class Running:
    """Describe a running emulator."""

    pid: int
    port: int
    base_url: str
    data: Path
    log: Path

    @property
    def token(self) -> str:
        """Return the API token of its data folder.

        Raises:
            EmulatorError: the folder has no token, because an earlier version of the emulator runs.
        """
        token = read_token(self.data)
        if token is None:
            raise EmulatorError(
                f"the embedded Cloudflare (process {self.pid}) has no API token in {self.data}",
                remedy="An earlier version started it. Stop it; the next start creates a token: "
                "flowflare emulator stop",
            )
        return token


def start(settings: Settings, on_progress: Progress) -> Running:
    """Start the emulator in the background and wait until it is ready.

    Args:
        on_progress: called with a few words about what is happening.

    Returns:
        the running emulator, whether or not this call started it.

    Raises:
        EmulatorError: the port is taken, Node or Miniflare is missing, workerd does not start, or
            an emulator runs on this data with another port.
    """
    data = settings.data.resolve()
    make_private(data)
    with _lock_start(data, on_progress):
        running = find_running(data)
        if running is not None:
            return _check_port(running, settings.port)
        on_progress("starting the embedded Cloudflare")
        pid, output = _spawn(settings, data)
        message = _read_first_line(pid, output, on_progress)
        if "error" in message:
            _wait_until(lambda: _reap(pid), _STOP_PATIENCE)
            remedy = message.get("remedy") or f"Its log has the reason: {log_file(data)}"
            raise EmulatorError(str(message["error"]), remedy=str(remedy))
        running = _describe_running(data, int(message["pid"]), int(message["port"]))
        on_progress(f"the embedded Cloudflare answers on {running.base_url}")
        return running


def stop(data: Path, on_progress: Progress = lambda _: None) -> bool:
    """Stop the emulator of a data folder and its child processes; the data stays.

    Returns:
        whether an emulator was running.

    Raises:
        EmulatorError: the emulator does not stop.
    """
    data = data.resolve()
    owner = pidfile.read(data)
    if owner is None:
        pidfile.remove(data)
        return False
    on_progress("stopping the embedded Cloudflare")
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(owner.pid, number)
        if _wait_until(lambda: not owner.is_alive(), _STOP_PATIENCE):
            _reap(owner.pid)
            pidfile.remove(data)
            return True
    raise EmulatorError(f"The emulator (process {owner.pid}) does not stop.")


def find_running(data: Path) -> Running | None:
    """Return the emulator that serves a data folder, or None if none is running."""
    data = data.resolve()
    owner = pidfile.read(data)
    return _describe_running(data, owner.pid, owner.port) if owner else None


def log_file(data: Path) -> Path:
    """Return the path of the log of an emulator and its Workers."""
    return data / "emulator.log"


def _describe_running(data: Path, pid: int, port: int) -> Running:
    return Running(pid, port, f"http://127.0.0.1:{port}/client/v4", data, log_file(data))


def _check_port(running: Running, port: int) -> Running:
    if port not in {0, running.port}:
        raise EmulatorError(
            f"The emulator of {running.data} runs on port {running.port}, not {port}",
            remedy="Stop it first: flowflare emulator stop",
        )
    return running


def _spawn(settings: Settings, data: Path) -> tuple[int, int]:
    """Start the emulator in its own session.

    It is not a `Popen` object: the emulator and this process may each outlive the other.

    Returns:
        its process ID, and the file descriptor of its standard output.
    """
    log = log_file(data)
    if log.exists():
        log.chmod(0o600)
    mode = os.O_TRUNC if log.exists() and log.stat().st_size > _MAX_LOG_BYTES else os.O_APPEND
    arguments = {
        "--data": data,
        "--port": settings.port,
        "--node": settings.node.absolute(),
        "--node-modules": settings.node_modules.absolute(),
    }
    words = [str(word) for pair in arguments.items() for word in pair]
    words += ["--shared"] if settings.shared else []
    output, end_of_child = os.pipe()
    with contextlib.closing(os.fdopen(end_of_child, "wb")):
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "flowflare.emulator", *words],
            needed_environment(os.environ),
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, end_of_child, 1),
                (os.POSIX_SPAWN_OPEN, 2, str(log), os.O_WRONLY | os.O_CREAT | mode, 0o600),
            ],
            setsid=True,
        )
    return pid, output


def _read_first_line(pid: int, output: int, on_progress: Progress) -> dict[str, Any]:
    """Return the emulator's first line of output, which says that it is ready or why not."""
    began = time.monotonic()
    with os.fdopen(output) as lines:
        while time.monotonic() - began < _START_PATIENCE:
            if select.select([lines], [], [], 2.0)[0]:
                line = lines.readline()
                message = json.loads(line) if line else {"error": "The emulator stopped at once."}
                return message if isinstance(message, dict) else {}
            on_progress(f"waiting for workerd ({time.monotonic() - began:.0f} s)")
    os.kill(pid, signal.SIGTERM)
    return {"error": f"The emulator was not ready after {_START_PATIENCE:.0f} s."}


def _reap(pid: int) -> bool:
    """Collect a child's exit status. Returns True if none is left to collect."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True  # another process started it


@contextlib.contextmanager
def _lock_start(data: Path, on_progress: Progress) -> Iterator[None]:
    """Allow one start of a data folder at a time; the others wait."""
    with (data / "start.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            on_progress("waiting for another start of the embedded Cloudflare")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _wait_until(done: Callable[[], bool], patience: float) -> bool:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if done():
            return True
        time.sleep(0.05)
    return done()
