"""State while a run is under way: old records, this run's records, and operations begun.

Every change is written at once: an operation before it is begun, its result after. Records of
this run come first, in the order in which they were finished, then what was left alone, in its
old order: so each stands after what it needs, which is what the Pulumi CLI verifies.
"""

import threading
from collections.abc import Callable, Collection
from dataclasses import fields, replace

from flowflare.state.backend import now
from flowflare.state.checkpoint import Deployment, Doing, Pending, Resource, renamed
from flowflare.values.properties import Props, equal

Write = Callable[[Deployment], None]


class Ledger:
    """The state of one run; safe to use from several threads.

    Args:
        deployment: the state at the start.
        salt: the salt string that the new state is sealed under.
        write: writes a state down; None for a preview, which writes nothing.
    """

    def __init__(self, deployment: Deployment, salt: Callable[[], str], write: Write | None):
        self._lock = threading.RLock()
        self._salt = salt
        self._write = write
        self._read: Deployment | None = deployment
        self._kept = list(deployment.resources)
        self._done: list[Resource] = []
        self._begun: list[Pending] = []
        self._interrupted = list(deployment.pending)
        self._urns: dict[str, str] = {}
        self._dirty = bool(deployment.pending)

    # What is there ----------------------------------------------------------------------------

    def find(self, urn: str) -> Resource | None:
        """The record that state holds for a URN at the start of its registration."""
        with self._lock:
            return next((one for one in self._kept if one.urn == urn and not one.delete), None)

    def current(self, urn: str) -> Resource | None:
        """The newest record of a URN, this run's before the old one."""
        with self._lock:
            done = next((one for one in reversed(self._done) if one.urn == urn), None)
            return done or self.find(urn)

    def kept(self) -> tuple[Resource, ...]:
        """The old records that nothing has been done with."""
        with self._lock:
            return tuple(self._kept)

    def all(self) -> tuple[Resource, ...]:
        """Every record, in the order in which they are written."""
        with self._lock:
            return (*self._done, *(renamed(one, self._urns) for one in self._kept))

    def interrupted(self, urns: Collection[str] | None = None) -> list[Pending]:
        """Operations that an earlier run began and did not end, of these URNs or of all."""
        with self._lock:
            return [one for one in self._interrupted if urns is None or one.resource.urn in urns]

    # What is done -----------------------------------------------------------------------------

    def begin(self, resource: Resource, doing: Doing) -> Pending:
        """Notes that an operation is begun, before anything is sent."""
        with self._lock:
            pending = Pending(resource, doing)
            self._begun.append(pending)
            self.save()
            return pending

    def fail(self, pending: Pending, *, doubtful: bool) -> None:
        """Notes that an operation failed: what was before it stays.

        Args:
            pending: the operation.
            doubtful: whether it may have been done all the same; it then stays on the list, for
                the next run to see to.
        """
        with self._lock:
            self._end(pending)
            if doubtful:
                self._interrupted.append(pending)
            self.save()

    def dismiss(self, pending: Pending) -> None:
        """Takes an interrupted operation off the list: what it left has been seen to."""
        with self._lock:
            self._interrupted = [one for one in self._interrupted if one is not pending]
            self._dirty = True

    def adopt(self, found: Resource, old: Resource | None) -> Resource:
        """Takes what an interrupted creation made for the present record.

        Args:
            found: its record.
            old: what it was to replace: that is to be deleted now, unless it is already gone.
        """
        with self._lock:
            if old is not None and not old.pending_replacement:
                self._swap(old, replace(old, delete=True))
            else:
                self._drop(old)
            self._kept.append(found)
            self._dirty = True
            return found

    def condemned(self, urns: Collection[str]) -> list[Resource]:
        """Old halves of replacements that still have to be deleted, of these URNs."""
        with self._lock:
            return [one for one in self._kept if one.delete and one.urn in urns]

    def revive(self, condemned: Resource, old: Resource | None, reason: str) -> Resource:
        """Makes an old half the present record again, and condemns what had replaced it."""
        with self._lock:
            if old is not None:
                self._swap(old, replace(old, delete=True))
            return self._swap(condemned, replace(condemned, delete=False, init_errors=(reason,)))

    def spoil(self, old: Resource, reason: str) -> Resource:
        """Marks an old record as perhaps not what it says, so that it is updated."""
        with self._lock:
            return self._swap(old, replace(old, init_errors=(reason,)))

    def forget(self, resource: Resource) -> None:
        """Drops an old record that turned out to stand for nothing."""
        with self._lock:
            self._drop(resource)
            self._dirty = True

    def put(
        self,
        new: Resource,
        old: Resource | None,
        *,
        pending: Pending | None = None,
        keep_old: bool = False,
    ) -> Resource:
        """Records a resource's new state.

        Args:
            new: the record.
            old: the record it comes from, None for none.
            pending: the operation that ends with it.
            keep_old: whether the old one still exists and has to be deleted (a replacement).

        Returns:
            The record as it is kept.
        """
        with self._lock:
            stamped = _stamped(new, old if not keep_old else None, touched=pending is not None)
            unchanged = old is not None and not keep_old and _alike(stamped, old)
            if old is not None and unchanged:
                stamped = old  # its sealed secrets stay as they are
            if old is not None:
                if old.urn != new.urn:
                    self._urns[old.urn] = new.urn
                if keep_old:
                    self._swap(old, replace(old, delete=True))
                else:
                    self._drop(old)
            self._done.append(stamped)
            self._end(pending)
            self._dirty = self._dirty or not unchanged
            if pending is not None:
                self.save()
            return stamped

    def set_outputs(self, urn: str, outputs: Props) -> None:
        """Sets the outputs of the stack or of a component of this run."""
        with self._lock:
            for index, one in enumerate(self._done):
                if one.urn == urn and not equal(one.outputs, outputs, strict=True):
                    self._done[index] = replace(one, outputs=outputs)
                    self._dirty = True

    def gone(
        self, resource: Resource, *, pending: Pending | None = None, again: bool = False
    ) -> None:
        """Records that a resource has been deleted.

        Args:
            resource: its record.
            pending: the operation that ends with it.
            again: whether it will be made anew, so that what depends on it may still name it.
        """
        with self._lock:
            if again:
                self._swap(resource, replace(resource, pending_replacement=True))
            else:
                self._drop(resource)
            self._end(pending)
            self._dirty = True
            if pending is not None:
                self.save()

    # Writing ----------------------------------------------------------------------------------

    def save(self) -> None:
        """Writes the state as it is now."""
        with self._lock:
            if self._write is not None:
                self._write(self._snapshot())
            self._dirty, self._read = False, None

    def finish(self) -> None:
        """Writes the state if anything is not written yet; a run that changed nothing is not."""
        with self._lock:
            if self._dirty and not self._as_read():
                self.save()

    def _as_read(self) -> bool:
        """Whether the records are the ones that were read, as after a program that failed at once.

        Its stack loses its outputs for a moment, and gets them back.
        """
        read, now = self._read, self.all()
        if read is None or read.pending or self._begun or self._interrupted:
            return False
        before = {one.urn: one for one in read.resources}
        return len(now) == len(before) == len(read.resources) and all(
            one.urn in before and _alike(one, before[one.urn]) for one in now
        )

    def _snapshot(self) -> Deployment:
        pending = (*self._begun, *self._interrupted)
        return Deployment(self.all(), pending, self._salt())

    def _end(self, pending: Pending | None) -> None:
        if pending is not None:
            self._begun = [one for one in self._begun if one is not pending]

    def _swap(self, old: Resource, new: Resource) -> Resource:
        self._kept = [new if one is old else one for one in self._kept]
        self._dirty = True
        return new

    def _drop(self, resource: Resource | None) -> None:
        self._kept = [one for one in self._kept if one is not resource]


def _stamped(new: Resource, old: Resource | None, *, touched: bool) -> Resource:
    if not new.custom or new.external:
        return new
    if old is None:
        stamp = now()
        return replace(new, created=stamp, modified=stamp)
    return replace(new, created=old.created, modified=now() if touched else old.modified)


def _alike(new: Resource, old: Resource) -> bool:
    """Whether two records say the same, what is secret included."""
    return all(
        equal(_listed(getattr(new, one.name)), _listed(getattr(old, one.name)), strict=True)
        for one in fields(Resource)
    )


def _listed(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
