"""The lease of a stack: an object beside its state that one run at a time holds, wherever it runs.

Pulumi's own lock has no expiry and is made in two steps. The lease is one object per stack that is
only ever written on the condition that it is still what its writer has read. While its run lives
it is renewed; one that has not been for long enough is taken over, by the tag that it has. How long
that is, the reader measures with its own clock between two reads of the same version, so machines'
clocks need not agree: the time that a lease names only decides whether to watch it at all. A run
notices that it has lost its lease before it writes state, and state itself is written on the
condition that nobody else wrote: what a machine that slept through its lease still sends comes too
late.

A lease that has ended stays, marked as released: its generation grows with each holder, and a lock
file with an older one is a dead run's.
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
from flowflare.state.backends.store import ABSENT, Store, Stored
from flowflare.state.holder import Holder, read_holder, this_process
from flowflare.state.watch import Clock, seen_for, stays

SECONDS: Final = 60.0
_FOLDER: Final = ".flowflare/leases"
# How late a renewal may arrive.
_MARGIN: Final = 2.0
_ATTEMPTS: Final = 4
# The leases that this process holds: one of its own that is not among them was lost track of.
_HELD: Final[set[str]] = set()


@dataclass(frozen=True)
class Lease:
    """What the object says.

    Attributes:
        owner: a random name of the run.
        holder: its process.
        acquired, expires: seconds since 1970, by its holder's clock.
        seconds: for how long it holds after it was written.
        generation: how many leases the stack has had, this one included.
        released: whether it has ended.
        kernel: whether its holder also held the kernel's lock in the state's folder.
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
        return f"the lease of {self.holder} since {_shown(self.acquired)}"

    @property
    def data(self) -> bytes:
        """The object's content."""
        fields = {key: value for key, value in asdict(self).items() if key != "holder"}
        times = {"acquired": _shown(self.acquired), "expires": _shown(self.expires)}
        return json.dumps({**fields, **asdict(self.holder), **times}).encode()

    @property
    def is_gone(self) -> bool:
        """Whether its run is known to have ended without releasing it."""
        return self.holder.is_gone or (self.holder.is_this and self.owner not in _HELD)


class Holding:
    """A lease that this run holds; threads may share it.

    Attributes:
        lease: as it was last written.
        taken: the lease of a run that had not released it, None where there was none.
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
        """Sees that the lease is still held; called before each write of state.

        Raises:
            StateError: somebody else has it, or it is due and cannot be renewed.
        """
        if not self._lost and self._clock.elapsed() - self._renewed < self.lease.seconds * 0.8:
            return
        self.renew()

    def renew(self) -> None:
        """Writes the lease anew, if it is still this run's, however long it was not renewed.

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
                    self._lost, remedy="Look at who works on the stack, and run again."
                )

    def release(self) -> None:
        """Ends the lease if it is still this run's; one that cannot be ended ends by itself."""
        with self._one_at_a_time, contextlib.suppress(StateError):
            self._released = True
            if not self._lost:
                self._write(replace(self.lease, released=True))

    def _write(self, lease: Lease) -> None:
        """Writes the lease on the condition that it is ours; sets `_lost` where it is not."""
        try:
            self._tag = self._store.put(self._key, lease.data, only_if=self._tag)
        except ConflictError:
            stored = self._store.get(self._key)
            present = None if stored is None else _read(self._store, self._key, stored)
            if stored is None or present is None or present.owner != lease.owner:
                self._lost = _lost(self._store.shown(self._key), present)
            elif present.released:
                self._lost = f"{self._store.shown(self._key)} was released by somebody else"
            else:  # an earlier write of ours, of which no answer came
                self._tag = self._store.put(self._key, lease.data, only_if=stored.tag)

    def keep(self, ended: threading.Event) -> None:
        """Renews the lease until it is lost or the run has ended; for a thread of its own."""
        pause = self.lease.seconds / 3
        while not ended.wait(pause):
            pause = self.lease.seconds / 3
            try:
                self.renew()
            except StateError:
                pause = self.lease.seconds / 12  # who writes state asks for itself meanwhile
            if self._lost:
                return


@contextlib.contextmanager
def held(  # noqa: PLR0913 -- all but the stack have defaults
    store: Store,
    project: str,
    stack: str,
    *,
    seconds: float = SECONDS,
    clock: Clock | None = None,
    kernel: bool = False,
    on_wait: Callable[[str], None] | None = None,
) -> Iterator[Holding]:
    """Holds a stack's lease for the time of a run.

    Args:
        store: where the stack's state is.
        project: the project's name.
        stack: the stack's name.
        seconds: how soon others may take it over when it is not renewed.
        clock: the time.
        kernel: whether the caller holds the kernel's lock in the state's folder.
        on_wait: takes a sentence before a lease is watched, for as long as that lease lasts.

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


def acquire(  # noqa: PLR0913 -- as `held`
    store: Store,
    project: str,
    stack: str,
    *,
    seconds: float = SECONDS,
    clock: Clock | None = None,
    kernel: bool = False,
    on_wait: Callable[[str], None] | None = None,
) -> Holding:
    """Takes a stack's lease; nobody renews it. See `held`.

    Raises:
        LockedError: another run holds it.
        StateError: the store cannot be reached.
    """
    clock = clock or Clock()
    key = lease_key(project, stack)
    for _ in range(_ATTEMPTS):
        stored = store.get(key)
        before = None if stored is None else _read(store, key, stored)
        if before is not None and stored is not None and not _has_ended(before, kernel=kernel):
            left = before.seconds + _MARGIN - seen_for(store.shown(key), stored.tag, clock)
            if left > 0 and _seems_alive(before, clock):
                raise _locked(stack, before, before.expires - clock.now())
            if left > 0 and on_wait is not None:
                on_wait(f"stack {stack}: watching for {left:.0f} s whether {before} is renewed")
            if not stays(store, key, stored.tag, left, clock):
                present = read_lease(store, project, stack)
                if present is not None and not present.released:
                    raise _locked(stack, present, present.seconds)
                continue
        now = clock.now()
        lease = Lease(
            owner=str(uuid.uuid4()),
            holder=this_process(),
            acquired=now,
            expires=now + seconds,
            seconds=seconds,
            generation=before.generation + 1 if before else 1,
            kernel=kernel,
        )
        try:
            tag = store.put(key, lease.data, only_if=stored.tag if stored else ABSENT)
        except ConflictError:
            continue  # somebody was faster: who?
        _HELD.add(lease.owner)
        taken = before if before is not None and not before.released else None
        return Holding(store, key, lease, tag, taken, clock)
    raise LockedError(f"stack {stack}: several runs begin at once", remedy="Try again.")


def lease_key(project: str, stack: str) -> str:
    """The key of a stack's lease."""
    return f"{_FOLDER}/{project}/{stack}.json"


def read_lease(store: Store, project: str, stack: str) -> Lease | None:
    """A stack's lease, None where it has never had one.

    Raises:
        StateError: it cannot be read.
    """
    key = lease_key(project, stack)
    stored = store.get(key)
    return None if stored is None else _read(store, key, stored)


def end(store: Store, project: str, stack: str) -> Lease | None:
    """Ends the lease of a run that is dead, as somebody says who knows.

    Returns:
        The lease that has been ended, None where there was none.

    Raises:
        LockedError: its run is alive on this machine.
        StateError: somebody else has just taken it.
    """
    key = lease_key(project, stack)
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


def held_now(
    store: Store, project: str, stacks: Collection[str], *, clock: Clock | None = None
) -> dict[str, Lease]:
    """The leases that seem to be held at this moment, by stack; what cannot be read is none.

    Nothing is watched: the answer depends on this machine's clock.

    Args:
        store: where the stacks' state is.
        project: the project's name.
        stacks: the stacks.
        clock: the time.

    Raises:
        StateError: the store cannot be reached.
    """
    wanted = {lease_key(project, stack): stack for stack in stacks}
    there = [key for key in store.keys(f"{_FOLDER}/{project}/") if key in wanted]
    found = {}
    for key, stored in store.read_many(there).items():
        with contextlib.suppress(StateError):
            lease = _read(store, key, stored)
            if _seems_held(lease, clock or Clock()):
                found[wanted[key]] = lease
    return found


def is_held(store: Store, project: str, stack: str) -> bool:
    """Whether a stack's lease seems to be held at this moment.

    Raises:
        StateError: the store cannot be reached, or the lease cannot be read.
    """
    lease = read_lease(store, project, stack)
    return lease is not None and _seems_held(lease, Clock())


def _seems_held(lease: Lease, clock: Clock) -> bool:
    return not _has_ended(lease) and lease.expires - clock.now() + _MARGIN >= 0


def _has_ended(lease: Lease, *, kernel: bool = False) -> bool:
    """Whether the lease was released or its run is known to be dead.

    Args:
        lease: the lease.
        kernel: whether this run holds the kernel's lock, which the lease's run then cannot hold.
    """
    had_lock = lease.kernel and lease.holder.hostname == this_process().hostname
    return lease.released or lease.is_gone or (kernel and had_lock)


def _seems_alive(lease: Lease, clock: Clock) -> bool:
    """Whether the time that the lease names is still to come, and near enough to be believed."""
    return -_MARGIN <= lease.expires - clock.now() <= lease.seconds + _MARGIN


def _locked(stack: str, lease: Lease, left: float) -> LockedError:
    return LockedError(
        f"stack {stack} is held by another run: {lease.holder} since {_shown(lease.acquired)}",
        remedy=f"Wait for it to end. If it is dead, its hold ends in {left + _MARGIN:.0f} s, or "
        f"at once by: flowflare unlock --stack {quote(stack)}",
    )


def _read(store: Store, key: str, stored: Stored) -> Lease:
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
            f"{store.shown(key)} is no lease",
            remedy=f"If nobody works on the stack: flowflare unlock --stack {quote(stack)}",
        ) from None


def _lost(place: str, present: Lease | None) -> str:
    if present is None:
        return f"{place} was removed while this run held it; nothing more is written"
    return (
        f"this run was taken for dead, and {present.holder} holds the stack since "
        f"{_shown(present.acquired)}; nothing more is written"
    )


def _shown(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
