"""One run at a time: Pulumi's lock file for its CLI, and a kernel lock for our own processes.

Pulumi's protocol (`pkg/backend/diy/lock.go`): list the stack's lock folder, give up if a lock is
there, write one, list again, give up if another came. It has no expiry, so a killed run leaves
one. The kernel lock dies with its process: whoever holds it knows that a lock file which this
engine wrote on this host is a dead one's, whatever process has its pid now.
"""

import contextlib
import fcntl
import json
import os
import socket
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flowflare.engine.backend import Backend, now
from flowflare.errors import LockedError

_OURS: Final = "flowflare"


@dataclass(frozen=True)
class Lock:
    """A lock file: who holds the stack.

    Attributes:
        path: the file.
        pid: process id of the holder.
        username: the holder's user name.
        hostname: the holder's host.
        timestamp: since when.
        engine: `flowflare` for one of ours, empty for the Pulumi CLI's.
    """

    path: Path
    pid: int
    username: str
    hostname: str
    timestamp: str
    engine: str = ""

    def __str__(self) -> str:
        return f"{self.username}@{self.hostname} (pid {self.pid}) since {self.timestamp}"

    @property
    def dead(self) -> bool:
        """Whether its process is known to have ended, asked by one who holds the kernel lock."""
        if self.hostname != socket.gethostname():
            return False
        return self.engine == _OURS or not _alive(self.pid)


@contextlib.contextmanager
def locked(backend: Backend) -> Iterator[list[Lock]]:
    """Holds a stack for the time of a run; yields the dead runs' locks that it took over.

    Raises:
        LockedError: another run holds it.
    """
    with _kernel_lock(backend):
        taken = _remove_dead(backend)
        own = _write_lock(backend)
        try:
            others = [lock for lock in read_locks(backend) if lock.path != own]
            if others:
                raise _held(backend, others)
            yield taken
        finally:
            own.unlink(missing_ok=True)


def unlock(backend: Backend) -> list[Lock]:
    """Removes every lock of a stack that no living run of ours holds.

    Returns:
        The locks removed.

    Raises:
        LockedError: a run of this engine is under way here.
    """
    with _kernel_lock(backend):
        removed = read_locks(backend)
        for lock in removed:
            lock.path.unlink(missing_ok=True)
    return removed


def read_locks(backend: Backend) -> list[Lock]:
    """The stack's lock files; one that cannot be read counts, its holder unknown."""
    if not backend.lock_folder.is_dir():
        return []
    paths = sorted(backend.lock_folder.glob("*.json"))
    return [lock for lock in map(_read_lock, paths) if lock is not None]


def _read_lock(path: Path) -> Lock | None:
    try:
        raw = json.loads(path.read_text("utf-8"))
        return Lock(
            path=path,
            pid=int(raw["pid"]),
            username=str(raw["username"]),
            hostname=str(raw["hostname"]),
            timestamp=str(raw["timestamp"]),
            engine=str(raw.get("engine", "")),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Lock(path, 0, "unknown", "unknown", "unknown")


def _remove_dead(backend: Backend) -> list[Lock]:
    locks = read_locks(backend)
    living = [lock for lock in locks if not lock.dead]
    if living:
        raise _held(backend, living)
    for lock in locks:
        lock.path.unlink(missing_ok=True)
    return locks


def _write_lock(backend: Backend) -> Path:
    backend.lock_folder.mkdir(parents=True, exist_ok=True)
    path = backend.lock_folder / f"{uuid.uuid4()}.json"
    lock = {
        "pid": os.getpid(),
        "username": os.environ.get("USER") or f"uid {os.getuid()}",
        "hostname": socket.gethostname(),
        "timestamp": now(),
        "engine": _OURS,
    }
    with path.open("x", encoding="utf-8") as file:
        json.dump(lock, file, separators=(",", ":"))
    return path


@contextlib.contextmanager
def _kernel_lock(backend: Backend) -> Iterator[None]:
    path = backend.folder / f"{backend.project}.{backend.stack}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise _held(backend, read_locks(backend)) from None
        yield


def _held(backend: Backend, locks: list[Lock]) -> LockedError:
    holders = "; ".join(str(lock) for lock in locks) or "a run that has just begun"
    return LockedError(
        f"stack {backend.stack} is locked by another run: {holders}",
        remedy="Wait for it to end. If it is dead, remove its lock: flowflare unlock --stack "
        f"{backend.stack}",
    )


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid > 0
