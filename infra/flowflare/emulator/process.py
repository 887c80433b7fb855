"""The emulator in the background: started, found, stopped.

Starting it twice is harmless: the second start finds the first. What a crash left behind (a pid
file of a dead or recycled process, an unfinished write) is no hindrance.
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
_LARGEST_LOG = 10_000_000

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """What an emulator is started with: its data, its port (0 for any), Node and its packages."""

    data: Path
    port: int
    node: Path
    node_modules: Path


@dataclass(frozen=True)
class Running:
    """An emulator that runs."""

    pid: int
    port: int
    base_url: str
    data: Path
    log: Path

    @property
    def token(self) -> str:
        """The API token of its data.

        Raises:
            EmulatorError: there is none, as an earlier version of the emulator runs.
        """
        token = read_token(self.data)
        if token is None:
            raise EmulatorError(
                f"the embedded Cloudflare (process {self.pid}) has no API token in {self.data}",
                remedy="It is of an earlier version. Stop it, and it starts again with a token: "
                "flowflare emulator stop",
            )
        return token


def start(settings: Settings, on_progress: Progress) -> Running:
    """Starts the emulator in the background and waits until it is ready.

    Args:
        settings: what it is started with.
        on_progress: told in a few words what is happening.

    Returns:
        the emulator that runs now, whether this call started it or another did before.

    Raises:
        EmulatorError: the port is taken, Node or Miniflare is missing, workerd does not start, or
            an emulator runs on this data with another port.
    """
    data = settings.data.resolve()
    make_private(data)
    with _one_at_a_time(data, on_progress):
        running = status(data)
        if running is not None:
            return _same_port(running, settings.port)
        on_progress("starting the embedded Cloudflare")
        pid, said = _spawn(settings, data)
        told = _first_line(pid, said, on_progress)
        if "error" in told:
            _wait(lambda: _reap(pid), _STOP_PATIENCE)
            remedy = told.get("remedy") or f"Its log has the reason: {log_file(data)}"
            raise EmulatorError(str(told["error"]), remedy=str(remedy))
        running = _running(data, int(told["pid"]), int(told["port"]))
        on_progress(f"the embedded Cloudflare answers on {running.base_url}")
        return running


def stop(data: Path, on_progress: Progress = lambda _: None) -> bool:
    """Stops the emulator of a data folder with all it started; the data stays.

    Returns:
        whether one was running.

    Raises:
        EmulatorError: it does not end.
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
        if _wait(lambda: not owner.alive(), _STOP_PATIENCE):
            _reap(owner.pid)
            pidfile.remove(data)
            return True
    raise EmulatorError(f"The emulator (process {owner.pid}) does not end.")


def status(data: Path) -> Running | None:
    """The emulator that serves a data folder, None if there is none."""
    data = data.resolve()
    owner = pidfile.read(data)
    return _running(data, owner.pid, owner.port) if owner else None


def log_file(data: Path) -> Path:
    """Where the emulator of a data folder writes what it and the Workers have to say."""
    return data / "emulator.log"


def _running(data: Path, pid: int, port: int) -> Running:
    return Running(pid, port, f"http://127.0.0.1:{port}/client/v4", data, log_file(data))


def _same_port(running: Running, port: int) -> Running:
    if port not in {0, running.port}:
        raise EmulatorError(
            f"The emulator of {running.data} runs on port {running.port}, not {port}",
            remedy="Stop it first: flowflare emulator stop",
        )
    return running


def _spawn(settings: Settings, data: Path) -> tuple[int, int]:
    """Starts the emulator in a session of its own.

    It is nobody's `Popen`: it outlives this process, and this process may outlive it.

    Returns:
        its process id, and the file descriptor of what it says.
    """
    log = log_file(data)
    if log.exists():
        log.chmod(0o600)
    mode = os.O_TRUNC if log.exists() and log.stat().st_size > _LARGEST_LOG else os.O_APPEND
    arguments = {
        "--data": data,
        "--port": settings.port,
        "--node": settings.node.absolute(),
        "--node-modules": settings.node_modules.absolute(),
    }
    words = [str(word) for pair in arguments.items() for word in pair]
    said, say = os.pipe()
    with contextlib.closing(os.fdopen(say, "wb")):
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "flowflare.emulator", *words],
            needed_environment(os.environ),
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, say, 1),
                (os.POSIX_SPAWN_OPEN, 2, str(log), os.O_WRONLY | os.O_CREAT | mode, 0o600),
            ],
            setsid=True,
        )
    return pid, said


def _first_line(pid: int, said: int, on_progress: Progress) -> dict[str, Any]:
    """What the emulator says first: that it is ready, or why it is not."""
    began = time.monotonic()
    with os.fdopen(said) as lines:
        while time.monotonic() - began < _START_PATIENCE:
            if select.select([lines], [], [], 2.0)[0]:
                line = lines.readline()
                told = json.loads(line) if line else {"error": "The emulator ended at once."}
                return told if isinstance(told, dict) else {}
            on_progress(f"waiting for workerd ({time.monotonic() - began:.0f} s)")
    os.kill(pid, signal.SIGTERM)
    return {"error": f"The emulator was not ready after {_START_PATIENCE:.0f} s."}


def _reap(pid: int) -> bool:
    """Takes note of a child's end; True when it has none left to note."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True  # another process started it


@contextlib.contextmanager
def _one_at_a_time(data: Path, on_progress: Progress) -> Iterator[None]:
    """Lets one start of a data folder go on at a time; the others wait for it."""
    with (data / "start.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            on_progress("waiting for another start of the embedded Cloudflare")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _wait(done: Callable[[], bool], patience: float) -> bool:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if done():
            return True
        time.sleep(0.05)
    return done()
