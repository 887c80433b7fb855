"""One run at a time: our lease, Pulumi's lock file for its CLI, and the kernel's lock on a folder.

Pulumi's protocol (`pkg/backend/diy/lock.go`): list the stack's locks, give up if one is there,
write one, list again, give up if another came. It has no expiry, so a killed run leaves one. The
lease and, in a folder, the kernel's lock end with their run: whoever holds them knows which lock
files of this engine are dead ones'.
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
from flowflare.state.backend import Backend, now
from flowflare.state.holder import Holder, alive, read_holder, this_process
from flowflare.state.lease import Holding, Lease, end, held
from flowflare.state.watch import Clock

_OURS: Final = "flowflare"


@dataclass(frozen=True)
class Lock:
    """A lock file: who holds the stack.

    Attributes:
        key: its key.
        holder: the process that wrote it.
        timestamp: since when.
        engine: `flowflare` for one of ours, empty for the Pulumi CLI's.
        generation: that of the lease that our run held, 0 for none.
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
        holding: the lease.
        taken: the locks and the lease of dead runs that it took over.
    """

    holding: Holding
    taken: tuple[Lock | Lease, ...]


@contextlib.contextmanager
def locked(
    backend: Backend,
    *,
    clock: Clock | None = None,
    on_wait: Callable[[str], None] | None = None,
) -> Iterator[Held]:
    """Holds a stack for the time of a run.

    Args:
        backend: the stack.
        clock: the time of the lease.
        on_wait: takes a sentence if another run's lease has to be watched first.

    Raises:
        LockedError: another run holds it.
        StateError: the store cannot be reached.
    """
    kernel = backend.folder is not None
    store, project, stack = backend.store, backend.project, backend.stack
    with (
        _kernel_lock(backend),
        held(store, project, stack, clock=clock, kernel=kernel, on_wait=on_wait) as holding,
    ):
        taken = _remove_dead(backend, holding.lease.generation)
        own = _write_lock(backend, holding.lease.generation)
        try:
            others = [lock for lock in read_locks(backend) if lock.key != own]
            if others:
                raise _held(backend, others)
            lease = [holding.taken] if holding.taken and not taken else []
            yield Held(holding, (*taken, *lease))
        except BaseException:
            with contextlib.suppress(StateError):
                store.delete(own)
            raise
        store.delete(own)


def unlock(backend: Backend) -> list[Lock | Lease]:
    """Removes every lock of a stack, and ends its lease, that no living run of ours here holds.

    Returns:
        What was removed.

    Raises:
        LockedError: a run of this engine is under way here.
    """
    with _kernel_lock(backend):
        lease = end(backend.store, backend.project, backend.stack)
        removed = read_locks(backend)
        for lock in removed:
            backend.store.delete(lock.key)
    return [*removed, *([lease] if lease else [])]


def read_locks(backend: Backend) -> list[Lock]:
    """The stack's lock files; one that cannot be read counts, its holder unknown."""
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
        raise _held(backend, living)
    for lock in locks:
        backend.store.delete(lock.key)
    return locks


def _is_dead(backend: Backend, lock: Lock, generation: int) -> bool:
    """Whether a lock's run is known to have ended, asked by one who holds the lease."""
    if lock.is_ours and 0 < lock.generation < generation:
        return True
    if lock.holder.is_gone:
        return True
    if backend.folder is None or lock.holder.hostname != socket.gethostname():
        return False
    return lock.is_ours or not alive(lock.holder.pid)


def _write_lock(backend: Backend, generation: int) -> str:
    key = f"{backend.locks}{uuid.uuid4()}.json"
    ours = {"timestamp": now(), "engine": _OURS, "generation": generation}
    lock = {**vars(this_process()), **ours}
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
            raise _held(backend, read_locks(backend)) from None
        yield


def _held(backend: Backend, locks: list[Lock]) -> LockedError:
    holders = "; ".join(str(lock) for lock in locks) or "a run that has just begun"
    return LockedError(
        f"stack {backend.stack} is locked by another run: {holders}",
        remedy="Wait for it to end. If it is dead, remove its lock: flowflare unlock --stack "
        f"{backend.stack}",
    )
