"""Keep the state of a run: old records, records of this run, and operations that have begun.

Every change is written at once: an operation before it begins, and its result when it ends. The
records of this run come first, in the order in which they were finished, then the untouched ones in
their old order. So each record comes after those that it needs, which the Pulumi CLI verifies.
"""

import threading
from collections.abc import Callable, Collection
from dataclasses import fields, replace

from flowflare.state.backend import format_now
from flowflare.state.checkpoint import Deployment, Doing, Pending, Resource, rename_urns
from flowflare.values.properties import Props, equal

Write = Callable[[Deployment], None]


class Ledger:
    """The state of one run; safe to use from several threads.

    Args:
        deployment: the state at the start.
        salt: returns the salt string that the new state is sealed under.
        write: stores a state; None for a preview, which writes nothing.
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

    # Reading ---------------------------------------------------------------------------------

    def find(self, urn: str) -> Resource | None:
        """Return the record that state has for a URN when its registration begins."""
        with self._lock:
            return next(
                (record for record in self._kept if record.urn == urn and not record.delete), None
            )

    def current(self, urn: str) -> Resource | None:
        """Return the newest record of a URN: this run's, otherwise the old record."""
        with self._lock:
            done = next((record for record in reversed(self._done) if record.urn == urn), None)
            return done or self.find(urn)

    def list_untouched(self) -> tuple[Resource, ...]:
        """List the old records that this run has not handled."""
        with self._lock:
            return tuple(self._kept)

    def list_handled(self) -> tuple[Resource, ...]:
        """List the records of this run: of what the program has declared."""
        with self._lock:
            return tuple(self._done)

    def all(self) -> tuple[Resource, ...]:
        """Return every record, in the order in which they are written."""
        with self._lock:
            return (*self._done, *(rename_urns(record, self._urns) for record in self._kept))

    def list_interrupted(self, urns: Collection[str] | None = None) -> list[Pending]:
        """List the operations, of these URNs or of all, that an earlier run did not end."""
        with self._lock:
            return [
                pending
                for pending in self._interrupted
                if urns is None or pending.resource.urn in urns
            ]

    # Operations ------------------------------------------------------------------------------

    def begin(self, resource: Resource, doing: Doing) -> Pending:
        """Record that an operation begins, before a request is sent."""
        with self._lock:
            pending = Pending(resource, doing)
            self._begun.append(pending)
            self.save()
            return pending

    def fail(self, pending: Pending, *, doubtful: bool) -> None:
        """Record that an operation failed; the earlier record stays.

        Args:
            doubtful: whether it may have succeeded despite the error. If so, it stays on the list,
                and the next run settles it.
        """
        with self._lock:
            self._end(pending)
            if doubtful:
                self._interrupted.append(pending)
            self.save()

    def dismiss(self, pending: Pending) -> None:
        """Remove an interrupted operation from the list after it was settled."""
        with self._lock:
            self._interrupted = [other for other in self._interrupted if other is not pending]
            self._dirty = True

    def adopt(self, found: Resource, old: Resource | None) -> Resource:
        """Make the resource of an interrupted creation the current record.

        Args:
            old: the record that it replaces; it is marked for deletion unless it is deleted
                already.
        """
        with self._lock:
            if old is not None and not old.pending_replacement:
                self._swap(old, replace(old, delete=True))
            else:
                self._drop(old)
            self._kept.append(found)
            self._dirty = True
            return found

    def list_condemned(self, urns: Collection[str]) -> list[Resource]:
        """List the old halves of replacements that still have to be deleted, of these URNs."""
        with self._lock:
            return [record for record in self._kept if record.delete and record.urn in urns]

    def revive(self, condemned: Resource, old: Resource | None, reason: str) -> Resource:
        """Make an old half the current record again, and mark its replacement for deletion."""
        with self._lock:
            if old is not None:
                self._swap(old, replace(old, delete=True))
            return self._swap(condemned, replace(condemned, delete=False, init_errors=(reason,)))

    def spoil(self, old: Resource, reason: str) -> Resource:
        """Mark an old record as possibly wrong, so that the resource is updated."""
        with self._lock:
            return self._swap(old, replace(old, init_errors=(reason,)))

    def forget(self, resource: Resource) -> None:
        """Drop an old record whose resource does not exist."""
        with self._lock:
            self._drop(resource)
            self._dirty = True

    def detach(self, urns: Collection[str]) -> None:
        """Remove dropped records from what the old records depend on."""
        with self._lock:
            dropped = dict.fromkeys(urns, "")
            self._kept = [rename_urns(record, dropped) for record in self._kept]

    def put(
        self,
        new: Resource,
        old: Resource | None,
        *,
        pending: Pending | None = None,
        keep_old: bool = False,
    ) -> Resource:
        """Store a resource's new record.

        Args:
            old: the record that it replaces; None for a new resource.
            pending: the operation that ends with it.
            keep_old: whether the old resource still exists and has to be deleted (a replacement).
        """
        with self._lock:
            stamped = _stamp(new, old if not keep_old else None, touched=pending is not None)
            unchanged = old is not None and not keep_old and _is_alike(stamped, old)
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
        """Set the outputs of the stack or of a component of this run."""
        with self._lock:
            for index, record in enumerate(self._done):
                if record.urn == urn and not equal(record.outputs, outputs, strict=True):
                    self._done[index] = replace(record, outputs=outputs)
                    self._dirty = True

    def record_deletion(
        self, resource: Resource, *, pending: Pending | None = None, again: bool = False
    ) -> None:
        """Record that a resource has been deleted.

        Args:
            pending: the operation that ends with it.
            again: whether the resource will be created again. If so, its record stays, because
                dependents may still name it.
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
        """Write the current state."""
        with self._lock:
            if self._write is not None:
                self._write(self._snapshot())
            self._dirty, self._read = False, None

    def finish(self) -> None:
        """Write the state if it has unwritten changes; a run without changes writes nothing."""
        with self._lock:
            if self._dirty and not self._is_as_read():
                self.save()

    def _is_as_read(self) -> bool:
        """Return whether the records equal those that were read.

        This is so after a program that failed at once: its stack loses its outputs and gets them
        back.
        """
        read, now = self._read, self.all()
        if read is None or read.pending or self._begun or self._interrupted:
            return False
        before = {record.urn: record for record in read.resources}
        return len(now) == len(before) == len(read.resources) and all(
            record.urn in before and _is_alike(record, before[record.urn]) for record in now
        )

    def _snapshot(self) -> Deployment:
        pending = (*self._begun, *self._interrupted)
        return Deployment(self.all(), pending, self._salt())

    def _end(self, pending: Pending | None) -> None:
        if pending is not None:
            self._begun = [begun for begun in self._begun if begun is not pending]

    def _swap(self, old: Resource, new: Resource) -> Resource:
        self._kept = [new if record is old else record for record in self._kept]
        self._dirty = True
        return new

    def _drop(self, resource: Resource | None) -> None:
        self._kept = [record for record in self._kept if record is not resource]


def _stamp(new: Resource, old: Resource | None, *, touched: bool) -> Resource:
    if not new.custom or new.external:
        return new
    if old is None:
        stamp = format_now()
        return replace(new, created=stamp, modified=stamp)
    return replace(new, created=old.created, modified=format_now() if touched else old.modified)


def _is_alike(new: Resource, old: Resource) -> bool:
    """Return whether two records are equal, secrets included."""
    return all(
        equal(_to_list(getattr(new, item.name)), _to_list(getattr(old, item.name)), strict=True)
        for item in fields(Resource)
    )


def _to_list(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
