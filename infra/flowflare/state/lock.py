"""Let one run at a time work on a stack, with our lease, Pulumi's lock file and the kernel's lock.

Pulumi's protocol (`pkg/backend/diy/lock.go`): list the stack's locks, give up if there is one,
write one, list again, give up if another appeared. Locks do not expire, so a killed run leaves one
behind. The lease and, in a folder, the kernel's lock end with their run. A run that holds both
knows which lock files of this engine belong to dead runs.
"""

import contextlib
import fcntl
import json
import socket
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from flowflare.errors import LockedError, StateError
from flowflare.reading.files import open_lock
from flowflare.reading.json_text import parse_json
from flowflare.state.backend import Backend, format_now
from flowflare.state.holder import Holder, is_alive, read_holder, read_this_process
from flowflare.state.lease import Holding, Lease, end_lease, hold_lease
from flowflare.state.watch import Clock

_OURS: Final = "flowflare"


@dataclass(frozen=True)
class Lock:
    """A lock file, which names the process that holds the stack.

    Attributes:
        engine: `flowflare` for ours, empty for the Pulumi CLI's.
        generation: the generation of our run's lease, 0 for none.
    """

    key: str
    holder: Holder
    timestamp: str
    engine: str = ""
    generation: int = 0

    def __str__(self) -> str:
        return f"{self.holder} since {self.timestamp}"

    @property
    def is_ours(self) -> bool:
        """Whether a run of this engine wrote it."""
        return self.engine == _OURS


@dataclass(frozen=True)
class Held:
    """A stack that this run holds.

    Attributes:
        taken: the locks and the lease of dead runs that it took over.
    """

    holding: Holding
    taken: tuple[Lock | Lease, ...]


@contextlib.contextmanager
def lock_stack(
    backend: Backend,
    *,
    clock: Clock | None = None,
    on_wait: Callable[[str], None] | None = None,
) -> Iterator[Held]:
    """Hold a stack until the block ends.

    Args:
        on_wait: called with a sentence if another run's lease must be watched first.

    Raises:
        LockedError: another run holds it.
        StateError: the store cannot be reached.
    """
    kernel = backend.folder is not None
    store, project, stack = backend.store, backend.project, backend.stack
    with (
        _kernel_lock(backend),
        hold_lease(store, project, stack, clock=clock, kernel=kernel, on_wait=on_wait) as holding,
    ):
        taken = _remove_dead(backend, holding.lease.generation)
        own = _write_lock(backend, holding.lease.generation)
        try:
            others = [lock for lock in read_locks(backend) if lock.key != own]
            if others:
                raise _make_locked_error(backend, others)
            lease = [holding.taken] if holding.taken and not taken else []
            yield Held(holding, (*taken, *lease))
        except BaseException:
            with contextlib.suppress(StateError):
                store.delete(own)
            raise
        store.delete(own)


def unlock(backend: Backend) -> list[Lock | Lease]:
    """Remove every lock of a stack, and end its lease, unless a run here is alive.

    Returns:
        What was removed.

    Raises:
        LockedError: a run of this engine is alive on this machine.
    """
    with _kernel_lock(backend):
        lease = end_lease(backend.store, backend.project, backend.stack)
        removed = read_locks(backend)
        for lock in removed:
            backend.store.delete(lock.key)
    return [*removed, *([lease] if lease else [])]


def read_locks(backend: Backend) -> list[Lock]:
    """Read the stack's lock files; the holder of an unreadable lock is unknown."""
    keys = [key for key in backend.store.keys(backend.locks) if key.endswith(".json")]
    found = backend.store.read_many(keys)
    return [_read_lock(key, found[key].data) for key in keys if key in found]


def _read_lock(key: str, data: bytes) -> Lock:
    try:
        raw = parse_json(data)
        return Lock(
            key=key,
            holder=read_holder(raw),
            timestamp=str(raw["timestamp"]),
            engine=str(raw.get("engine", "")),
            generation=int(raw.get("generation", 0)),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return Lock(key, Holder(0, "unknown", "unknown"), "unknown")


def _remove_dead(backend: Backend, generation: int) -> list[Lock]:
    locks = read_locks(backend)
    living = [lock for lock in locks if not _is_dead(backend, lock, generation)]
    if living:
        raise _make_locked_error(backend, living)
    for lock in locks:
        backend.store.delete(lock.key)
    return locks


def _is_dead(backend: Backend, lock: Lock, generation: int) -> bool:
    """Return whether a lock's run is known to have ended; the caller must have the lease."""
    if lock.is_ours and 0 < lock.generation < generation:
        return True
    if lock.holder.is_gone:
        return True
    if backend.folder is None or lock.holder.hostname != socket.gethostname():
        return False
    return lock.is_ours or not is_alive(lock.holder.pid)


def _write_lock(backend: Backend, generation: int) -> str:
    key = f"{backend.locks}{uuid.uuid4()}.json"
    ours = {"timestamp": format_now(), "engine": _OURS, "generation": generation}
    lock = {**vars(read_this_process()), **ours}
    backend.store.put(key, json.dumps(lock, separators=(",", ":")).encode())
    return key


@contextlib.contextmanager
def _kernel_lock(backend: Backend) -> Iterator[None]:
    if backend.folder is None:
        yield
        return
    path = backend.folder / f"{backend.project}.{backend.stack}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_lock(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise _make_locked_error(backend, read_locks(backend)) from None
        yield


def _make_locked_error(backend: Backend, locks: list[Lock]) -> LockedError:
    holders = "; ".join(str(lock) for lock in locks) or "a run that has just begun"
    return LockedError(
        f"stack {backend.stack} is locked by another run: {holders}",
        remedy="Wait for it to end. If it is dead, remove its lock: flowflare unlock --stack "
        f"{backend.stack}",
    )
