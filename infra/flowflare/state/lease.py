"""The lease of a stack: an object beside its state that only one run at a time holds.

Pulumi's own lock does not expire, and takes two steps to write. The lease is one object per stack.
Each write is conditional on the version that the writer has read. A run renews its lease while it
works. Another run takes over a lease that was not renewed for long enough. The reader measures that
time with its own clock, between two reads of the same version, so clocks need not agree. The expiry
in a lease only decides whether to watch it at all. A run checks its lease before it writes state.
That write is conditional too, so a machine that slept through its lease cannot overwrite anything.

A lease that has ended is kept and marked as released. Its generation grows with each holder; a lock
file with an older generation belongs to a dead run.
"""

import contextlib
import json
import threading
import uuid
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from shlex import quote
from typing import Final

from flowflare.errors import ConflictError, LockedError, StateError
from flowflare.reading.json_text import parse_json
from flowflare.state.backends.store import ABSENT, Store, StoredObject
from flowflare.state.holder import Holder, read_holder, read_this_process
from flowflare.state.watch import Clock, measure_age, stays

SECONDS: Final = 60.0
_FOLDER: Final = ".flowflare/leases"
# Seconds by which a renewal may be late.
_MARGIN: Final = 2.0
_ATTEMPTS: Final = 4
# Owners of the leases that this process holds. A lease of this process with another owner leaked.
_HELD: Final[set[str]] = set()


@dataclass(frozen=True)
class Lease:
    """The content of the object.

    Attributes:
        owner: a random ID of the run.
        acquired, expires: seconds since 1970, by its holder's clock.
        seconds: how long it is valid after it was written.
        generation: the number of leases that the stack has had, including this.
        kernel: whether its holder also had the kernel's lock in the state's folder.
    """

    owner: str
    holder: Holder
    acquired: float
    expires: float
    seconds: float = SECONDS
    generation: int = 1
    released: bool = False
    kernel: bool = False

    def __str__(self) -> str:
        return f"the lease of {self.holder} since {_format_time(self.acquired)}"

    @property
    def data(self) -> bytes:
        """The object's content."""
        fields = {key: value for key, value in asdict(self).items() if key != "holder"}
        times = {"acquired": _format_time(self.acquired), "expires": _format_time(self.expires)}
        return json.dumps({**fields, **asdict(self.holder), **times}).encode()

    @property
    def is_gone(self) -> bool:
        """Whether its run is known to have ended without releasing it."""
        return self.holder.is_gone or (self.holder.is_this and self.owner not in _HELD)


class Holding:
    """A lease that this run holds; threads may share it.

    Attributes:
        lease: the lease as last written.
        taken: the lease that was taken over from a dead run, None if there was none.
    """

    def __init__(
        self, store: Store, key: str, lease: Lease, tag: str, taken: Lease | None, clock: Clock
    ) -> None:
        self.lease = lease
        self.taken = taken
        self._store = store
        self._key = key
        self._tag = tag
        self._clock = clock
        self._renewed = clock.elapsed()
        self._lost = ""
        self._released = False
        self._one_at_a_time = threading.Lock()

    def check(self) -> None:
        """Check that the lease is still held, before a write of state.

        Raises:
            StateError: another run has it, or it is due and cannot be renewed.
        """
        if not self._lost and self._clock.elapsed() - self._renewed < self.lease.seconds * 0.8:
            return
        self.renew()

    def renew(self) -> None:
        """Renew the lease if this run still has it, even after a long pause.

        Raises:
            StateError: it is lost, or the store cannot be reached.
        """
        with self._one_at_a_time:
            if not self._lost and not self._released:
                began, now = self._clock.elapsed(), self._clock.now()
                lease = replace(self.lease, expires=now + self.lease.seconds)
                self._write(lease)
                self.lease, self._renewed = lease, began
            if self._lost:
                raise StateError(
                    self._lost, remedy="Find out what else works on the stack, then run again."
                )

    def release(self) -> None:
        """Release the lease if this run still has it. If that fails, it expires."""
        with self._one_at_a_time, contextlib.suppress(StateError):
            self._released = True
            if not self._lost:
                self._write(replace(self.lease, released=True))

    def _write(self, lease: Lease) -> None:
        """Write the lease if it is still ours; otherwise set `_lost`."""
        try:
            self._tag = self._store.put(self._key, lease.data, only_if=self._tag)
        except ConflictError:
            stored = self._store.get(self._key)
            present = None if stored is None else _read(self._store, self._key, stored)
            if stored is None or present is None or present.owner != lease.owner:
                self._lost = _explain_loss(self._store.describe(self._key), present)
            elif present.released:
                self._lost = f"{self._store.describe(self._key)} was released by another program"
            else:  # an earlier write of ours whose answer was lost
                self._tag = self._store.put(self._key, lease.data, only_if=stored.tag)

    def keep(self, ended: threading.Event) -> None:
        """Renew the lease until it is lost or the run ends; runs in its own thread."""
        pause = self.lease.seconds / 3
        while not ended.wait(pause):
            pause = self.lease.seconds / 3
            try:
                self.renew()
            except StateError:
                pause = self.lease.seconds / 12  # meanwhile each write of state calls `check`
            if self._lost:
                return


@contextlib.contextmanager
def hold_lease(  # noqa: PLR0913 -- all but the stack have defaults
    store: Store,
    project: str,
    stack: str,
    *,
    seconds: float = SECONDS,
    clock: Clock | None = None,
    kernel: bool = False,
    on_wait: Callable[[str], None] | None = None,
) -> Iterator[Holding]:
    """Hold a stack's lease until the block ends.

    Args:
        seconds: how long it is valid without a renewal.
        kernel: whether the caller has the kernel's lock in the state's folder.
        on_wait: called with a sentence before this waits to see whether a lease is renewed.

    Raises:
        LockedError: another run holds it.
        StateError: the store cannot be reached.
    """
    holding = acquire(
        store, project, stack, seconds=seconds, clock=clock, kernel=kernel, on_wait=on_wait
    )
    ended = threading.Event()
    thread = threading.Thread(target=holding.keep, args=(ended,), name="lease", daemon=True)
    thread.start()
    try:
        yield holding
    finally:
        ended.set()
        holding.release()
        _HELD.discard(holding.lease.owner)


def acquire(  # noqa: PLR0913 -- as `hold_lease`
    store: Store,
    project: str,
    stack: str,
    *,
    seconds: float = SECONDS,
    clock: Clock | None = None,
    kernel: bool = False,
    on_wait: Callable[[str], None] | None = None,
) -> Holding:
    """Take a stack's lease without renewing it; see `hold_lease`.

    Raises:
        LockedError: another run holds it.
        StateError: the store cannot be reached.
    """
    clock = clock or Clock()
    key = make_lease_key(project, stack)
    for _ in range(_ATTEMPTS):
        stored = store.get(key)
        before = None if stored is None else _read(store, key, stored)
        if before is not None and stored is not None and not _has_ended(before, kernel=kernel):
            left = before.seconds + _MARGIN - measure_age(store.describe(key), stored.tag, clock)
            if left > 0 and _seems_alive(before, clock):
                raise _make_locked_error(stack, before, before.expires - clock.now())
            if left > 0 and on_wait is not None:
                on_wait(f"stack {stack}: watching for {left:.0f} s whether {before} is renewed")
            if not stays(store, key, stored.tag, left, clock):
                present = read_lease(store, project, stack)
                if present is not None and not present.released:
                    raise _make_locked_error(stack, present, present.seconds)
                continue
        now = clock.now()
        lease = Lease(
            owner=str(uuid.uuid4()),
            holder=read_this_process(),
            acquired=now,
            expires=now + seconds,
            seconds=seconds,
            generation=before.generation + 1 if before else 1,
            kernel=kernel,
        )
        try:
            tag = store.put(key, lease.data, only_if=stored.tag if stored else ABSENT)
        except ConflictError:
            continue  # another run was faster: read its lease
        _HELD.add(lease.owner)
        taken = before if before is not None and not before.released else None
        return Holding(store, key, lease, tag, taken, clock)
    raise LockedError(f"stack {stack}: several runs are starting at once", remedy="Try again.")


def make_lease_key(project: str, stack: str) -> str:
    """Return the key of a stack's lease."""
    return f"{_FOLDER}/{project}/{stack}.json"


def read_lease(store: Store, project: str, stack: str) -> Lease | None:
    """Read a stack's lease; None if it has never had one.

    Raises:
        StateError: it cannot be read.
    """
    key = make_lease_key(project, stack)
    stored = store.get(key)
    return None if stored is None else _read(store, key, stored)


def end_lease(store: Store, project: str, stack: str) -> Lease | None:
    """End the lease of a run that the caller knows to be dead.

    Returns:
        The lease that was ended, None if there was none.

    Raises:
        LockedError: its run is alive on this machine.
        StateError: another run has just taken it.
    """
    key = make_lease_key(project, stack)
    stored = store.get(key)
    if stored is None:
        return None
    try:
        lease = _read(store, key, stored)
    except StateError:
        store.delete(key, only_if=stored.tag)
        return None
    if lease.released:
        return None
    if lease.holder.is_here and not lease.is_gone:
        raise LockedError(f"stack {stack} is held by a run that is alive: {lease.holder}")
    store.put(key, replace(lease, released=True).data, only_if=stored.tag)
    return lease


def list_held(
    store: Store, project: str, stacks: Collection[str], *, clock: Clock | None = None
) -> dict[str, Lease]:
    """List the leases that seem to be held now, by stack; unreadable ones are skipped.

    Does not watch them, so the answer depends on this machine's clock.

    Raises:
        StateError: the store cannot be reached.
    """
    wanted = {make_lease_key(project, stack): stack for stack in stacks}
    there = [key for key in store.keys(f"{_FOLDER}/{project}/") if key in wanted]
    found = {}
    for key, stored in store.read_many(there).items():
        with contextlib.suppress(StateError):
            lease = _read(store, key, stored)
            if _seems_held(lease, clock or Clock()):
                found[wanted[key]] = lease
    return found


def is_held(store: Store, project: str, stack: str) -> bool:
    """Return whether a stack's lease seems to be held now.

    Raises:
        StateError: the store cannot be reached, or the lease cannot be read.
    """
    lease = read_lease(store, project, stack)
    return lease is not None and _seems_held(lease, Clock())


def _seems_held(lease: Lease, clock: Clock) -> bool:
    return not _has_ended(lease) and lease.expires - clock.now() + _MARGIN >= 0


def _has_ended(lease: Lease, *, kernel: bool = False) -> bool:
    """Return whether the lease was released or its run is known to be dead.

    Args:
        kernel: whether this run has the kernel's lock, which the lease's run then cannot have.
    """
    had_lock = lease.kernel and lease.holder.hostname == read_this_process().hostname
    return lease.released or lease.is_gone or (kernel and had_lock)


def _seems_alive(lease: Lease, clock: Clock) -> bool:
    """Return whether the lease expires in the future, and not implausibly late."""
    return -_MARGIN <= lease.expires - clock.now() <= lease.seconds + _MARGIN


def _make_locked_error(stack: str, lease: Lease, left: float) -> LockedError:
    return LockedError(
        f"stack {stack} is held by another run: {lease.holder} since "
        f"{_format_time(lease.acquired)}",
        remedy=f"Wait for it to end. If it is dead, its lease ends in {left + _MARGIN:.0f} s. "
        f"To end it now: flowflare unlock --stack {quote(stack)}",
    )


def _read(store: Store, key: str, stored: StoredObject) -> Lease:
    try:
        raw = parse_json(stored.data)
        return Lease(
            owner=str(raw["owner"]),
            holder=read_holder(raw),
            acquired=datetime.fromisoformat(raw["acquired"]).timestamp(),
            expires=datetime.fromisoformat(raw["expires"]).timestamp(),
            seconds=float(raw["seconds"]),
            generation=int(raw["generation"]),
            released=bool(raw["released"]),
            kernel=bool(raw.get("kernel", False)),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        stack = key.rpartition("/")[2].removesuffix(".json")
        raise StateError(
            f"{store.describe(key)} is not a valid lease",
            remedy=f"If no run works on the stack: flowflare unlock --stack {quote(stack)}",
        ) from None


def _explain_loss(place: str, present: Lease | None) -> str:
    if present is None:
        return f"{place} was removed while this run held it; this run stops writing"
    return (
        f"this run seemed dead, and {present.holder} has held the stack since "
        f"{_format_time(present.acquired)}; this run stops writing"
    )


def _format_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
