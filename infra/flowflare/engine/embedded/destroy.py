"""Delete resources, dependents first; independent resources are deleted at the same time."""

import contextvars
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from shlex import join, quote

from flowflare.engine.embedded.interrupted import sweep
from flowflare.engine.embedded.ledger import Ledger
from flowflare.engine.embedded.providers.registry import Providers
from flowflare.engine.refused_steps import make_failure, refuse_step
from flowflare.engine.report import RunLog
from flowflare.errors import EngineError, ProtectedError
from flowflare.kinds.handler import Existing, Handler, is_ambiguous
from flowflare.state.checkpoint import PROVIDER_PREFIX, Resource
from flowflare.values.events import RETAINED, Failure, Step
from flowflare.values.properties import UNKNOWN
from flowflare.values.show import shown_props
from flowflare.values.urns import name_of

_PARALLEL = 8


class Deleter:
    """Deletes the resources of one run.

    Args:
        lifted: names of protected resources that are deleted anyway.
    """

    def __init__(
        self,
        ledger: Ledger,
        providers: Providers,
        report: RunLog,
        *,
        lifted: Collection[str] = (),
    ) -> None:
        self._ledger = ledger
        self._providers = providers
        self._report = report
        self._lifted = frozenset(lifted)

    def plan(self, records: Sequence[Resource], *, what: str = "deleted") -> None:
        """Report the deletions that `delete` would do, dependents first.

        Args:
            records: the records, as for `delete`.
            what: `destroyed` for the whole stack, so that a refusal has the right remedy.
        """
        # A resource that failed keeps its record, and the program still declares it.
        failed = {failure.urn for failure in self._report.failures}
        for record in reversed(records):
            if record.urn in failed or _is_default_provider(record):
                continue
            if not record.pending_replacement:
                step = _step(record)
                self._report.plan_step(step)
                if self._holds(record):
                    self._report.fail_step(step, make_failure(step, refuse_step(step, what)))

    def delete(self, records: Sequence[Resource], replaced: Sequence[str] = ()) -> None:
        """Delete resources; skip those that a resource whose deletion failed depends on.

        Args:
            records: the records, each after those that it needs, as in state.
            replaced: URNs of replacements that are reported already, so that the deletion of their
                old halves is not listed.
        """
        waiting = list(records)
        urns = {record.urn for record in records if not record.delete}
        context = contextvars.copy_context()
        with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="delete") as pool:
            while waiting:
                needed = set().union(*(record.needs() for record in waiting))
                ready = [record for record in waiting if record.urn not in needed]
                if not ready:
                    raise EngineError("the records in state depend on each other in a cycle")
                jobs = [
                    pool.submit(
                        context.copy().run, self._try, record, urns, part=record.urn in replaced
                    )
                    for record in ready
                ]
                failed = [
                    record for record, job in zip(ready, jobs, strict=True) if not job.result()
                ]
                waiting = [record for record in waiting if record not in ready]
                waiting = self._without_needed(waiting, failed)

    def clear_interrupted(self) -> None:
        """Settle interrupted operations on resources that the program does not declare."""
        for pending in self._ledger.list_interrupted():
            record = pending.resource
            try:
                sweep(self._ledger, self._handler(record), pending)
            except Exception as error:  # noqa: BLE001 -- a provider's failure is a result
                step = _step(record)
                self._report.fail_step(step, make_failure(step, error))

    def delete_before_replace(self, old: Resource) -> Resource:
        """Delete a resource that will be replaced, after the dependents that must be deleted too.

        A dependent is deleted if one of its inputs comes from a deleted resource and its diff,
        with that input unknown, requires a replacement.

        Returns:
            The record, now marked as waiting for its replacement.

        Raises:
            ProtectedError: a dependent is protected.
        """
        condemned = [old, *self._dependents(old)]
        for record in condemned:
            if record.protect and record is not old:
                raise refuse_step(_step(record), "replaced")
        for record in reversed(condemned):
            self._remove(record, again=True)
        found = self._ledger.find(old.urn)
        assert found is not None
        return found

    # ----------------------------------------------------------------------------------------------

    def _holds(self, record: Resource) -> bool:
        """Return whether `protect` forbids the deletion. Replacements were checked earlier."""
        return record.protect and not record.delete and record.name not in self._lifted

    def _try(self, record: Resource, urns: set[str], *, part: bool) -> bool:
        step = _step(record)
        if self._holds(record):
            self._report.fail_step(step, make_failure(step, refuse_step(step, "deleted")))
            return False
        hidden = _is_default_provider(record) or record.pending_replacement
        since = None if hidden else self._report.start_step(step)
        try:
            self._remove(
                record, with_parent=bool(record.deleted_with) and record.deleted_with in urns
            )
        except Exception as error:  # noqa: BLE001 -- a provider's failure is a result
            self._report.fail_step(step, make_failure(step, error), since)
            return False
        if not hidden:
            self._report.finish_step(step, since, listed=not part)
        return True

    def _remove(self, record: Resource, *, again: bool = False, with_parent: bool = False) -> None:
        untouched = (
            not record.custom
            or record.external
            or record.pending_replacement
            or record.retain_on_delete
            or with_parent
            or record.type.startswith(PROVIDER_PREFIX)
        )
        if untouched:
            self._ledger.record_deletion(record, again=again)
            return
        handler = self._handler(record)
        pending = self._ledger.begin(record, "deleting")
        try:
            handler.delete(Existing.of(record))
        except BaseException as error:
            self._ledger.fail(pending, doubtful=is_ambiguous(error))
            raise
        self._ledger.record_deletion(record, pending=pending, again=again)
        for interrupted in self._ledger.list_interrupted({record.urn}):
            if interrupted.doing != "creating":
                self._ledger.dismiss(interrupted)

    def _handler(self, record: Resource) -> Handler:
        provider = self._ledger.current(record.provider.rpartition("::")[0])
        return self._providers.handler(record.type, provider)

    def _dependents(self, old: Resource) -> list[Resource]:
        condemned = {old.urn}
        found = []
        for record in self._ledger.list_untouched():
            keys = [
                key for key, urns in record.property_dependencies.items() if condemned & {*urns}
            ]
            if (
                not keys
                or record is old
                or record.delete
                or record.pending_replacement
                or not record.custom
            ):
                continue
            before = Existing.of(record)
            after = {**before.inputs, **dict.fromkeys(keys, UNKNOWN)}
            if self._handler(record).diff(before, after).replaces:
                condemned.add(record.urn)
                found.append(record)
        return found

    def _without_needed(
        self, waiting: Sequence[Resource], failed: Sequence[Resource]
    ) -> list[Resource]:
        """Return the records that can still be deleted: those that no failed resource needs."""
        left = list(waiting)
        blocked = list(failed)
        while blocked:
            cause = blocked.pop()
            needed = [record for record in left if record.urn in cause.needs()]
            for record in needed:
                if record.custom and not _is_default_provider(record):
                    step = _step(record)
                    reason = f"{name_of(cause.urn)}, which depends on it, still exists"
                    failure = Failure(step.urn, step.name, step.type, reason, "skipped")
                    self._report.fail_step(step, failure)
            left = [record for record in left if record not in needed]
            blocked += needed
        return left


def _is_default_provider(record: Resource) -> bool:
    return record.type.startswith(PROVIDER_PREFIX) and not record.parent


def refuse_protected(records: Sequence[Resource], lifted: Collection[str], *, stack: str) -> None:
    """Refuse to destroy protected resources, before anything is deleted.

    Args:
        lifted: names of the resources whose data may be lost. A name without a resource is not an
            error by itself: after a crash the same command runs again when some are deleted.
        stack: the stack's name, for the command in the refusal.

    Raises:
        ProtectedError: a protected resource is not in `lifted`.
    """
    held = {record.name: record.type for record in records if record.protect and not record.delete}
    if held.keys() - set(lifted):
        unknown = sorted(set(lifted) - held.keys())
        lines = "".join(
            f"\n  {name} ({type_})" for name, type_ in held.items() if name not in lifted
        )
        raise ProtectedError(
            f"stack {stack} has protected resources, and nothing was deleted:{lines}"
            + (f"\n  None is called {', '.join(unknown)}." if unknown else ""),
            remedy="To delete them with their data, name them: "
            f"flowflare destroy --stack {quote(stack)} --lose-data {join(sorted(held))}",
        )


def _step(record: Resource) -> Step:
    note = "left by its replacement" if record.delete else ""
    if record.retain_on_delete:
        note = RETAINED
    return Step(
        "delete",
        record.urn,
        record.type,
        record.name,
        record.custom,
        note=note,
        old=shown_props(record.inputs),
        outputs=shown_props(record.outputs),
        protected=record.protect and not record.delete,
    )
