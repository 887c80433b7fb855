"""Deletes resources, dependents first, what does not depend on each other at the same time."""

import contextvars
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from shlex import join, quote

from flowflare.engine.interrupted import sweep
from flowflare.engine.ledger import Ledger
from flowflare.engine.providers.registry import Providers
from flowflare.engine.refused_steps import make_failure, refuse_step
from flowflare.engine.report import Report
from flowflare.errors import EngineError, ProtectedError
from flowflare.kinds.handler import Existing, Handler, is_ambiguous
from flowflare.state.checkpoint import PROVIDER_PREFIX, Resource
from flowflare.values.events import RETAINED, Failure, Step
from flowflare.values.properties import UNKNOWN
from flowflare.values.show import shown_props
from flowflare.values.urns import name_of

_PARALLEL = 8


class Deleter:
    """Deletes for one run.

    Args:
        ledger: the state.
        providers: what deletes.
        report: what is told.
        lifted: names of resources that are deleted although they are protected.
    """

    def __init__(
        self,
        ledger: Ledger,
        providers: Providers,
        report: Report,
        *,
        lifted: Collection[str] = (),
    ) -> None:
        self._ledger = ledger
        self._providers = providers
        self._report = report
        self._lifted = frozenset(lifted)

    def plan(self, records: Sequence[Resource], *, what: str = "deleted") -> None:
        """Reports the deletions that `delete` would do, dependents first.

        Args:
            records: the records, as for `delete`.
            what: `destroyed` where the whole stack is, so that a refusal names that way out.
        """
        # What failed before keeps its record, and is wanted all the same.
        failed = {failure.urn for failure in self._report.failures}
        for one in reversed(records):
            if one.urn in failed or _is_default_provider(one):
                continue
            if not one.pending_replacement:
                step = _step(one)
                self._report.planned(step)
                if self._holds(one):
                    self._report.failed(step, make_failure(step, refuse_step(step, what)))

    def delete(self, records: Sequence[Resource], replaced: Sequence[str] = ()) -> None:
        """Deletes records; what a failed one depends on is left alone.

        Args:
            records: the records, each after what it needs, as in state.
            replaced: URNs whose old halves are part of a replacement already reported.
        """
        waiting = list(records)
        urns = {one.urn for one in records if not one.delete}
        context = contextvars.copy_context()
        with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="delete") as pool:
            while waiting:
                needed = set().union(*(one.needs() for one in waiting))
                ready = [one for one in waiting if one.urn not in needed]
                if not ready:
                    raise EngineError("the records in state depend on each other in a circle")
                jobs = [
                    pool.submit(context.copy().run, self._try, one, urns, part=one.urn in replaced)
                    for one in ready
                ]
                failed = [one for one, job in zip(ready, jobs, strict=True) if not job.result()]
                waiting = [one for one in waiting if one not in ready]
                waiting = self._without_needed(waiting, failed)

    def clear_interrupted(self) -> None:
        """Sees to interrupted operations on resources that the program does not declare."""
        for pending in self._ledger.interrupted():
            one = pending.resource
            try:
                sweep(self._ledger, self._handler(one), pending)
            except Exception as error:  # noqa: BLE001 -- a provider's failure is a result
                step = _step(one)
                self._report.failed(step, make_failure(step, error))

    def delete_before_replace(self, old: Resource) -> Resource:
        """Deletes a resource that is to be made anew, and first what cannot outlive it.

        A dependent goes with it if an input of its own comes from a condemned resource and its
        diff, with that input unknown, says replace.

        Returns:
            The record, now waiting for its replacement.

        Raises:
            ProtectedError: one of them is protected.
        """
        condemned = [old, *self._dependents(old)]
        for one in condemned:
            if one.protect and one is not old:
                raise refuse_step(_step(one), "replaced")
        for one in reversed(condemned):
            self._remove(one, again=True)
        found = self._ledger.find(old.urn)
        assert found is not None
        return found

    # ----------------------------------------------------------------------------------------------

    def _holds(self, one: Resource) -> bool:
        """Whether protect forbids the deletion; of a replacement it was asked before it began."""
        return one.protect and not one.delete and one.name not in self._lifted

    def _try(self, one: Resource, urns: set[str], *, part: bool) -> bool:
        step = _step(one)
        if self._holds(one):
            self._report.failed(step, make_failure(step, refuse_step(step, "deleted")))
            return False
        hidden = _is_default_provider(one) or one.pending_replacement
        since = None if hidden else self._report.started(step)
        try:
            self._remove(one, with_parent=bool(one.deleted_with) and one.deleted_with in urns)
        except Exception as error:  # noqa: BLE001 -- a provider's failure is a result
            self._report.failed(step, make_failure(step, error), since)
            return False
        if not hidden:
            self._report.done(step, since, listed=not part)
        return True

    def _remove(self, one: Resource, *, again: bool = False, with_parent: bool = False) -> None:
        untouched = (
            not one.custom
            or one.external
            or one.pending_replacement
            or one.retain_on_delete
            or with_parent
            or one.type.startswith(PROVIDER_PREFIX)
        )
        if untouched:
            self._ledger.gone(one, again=again)
            return
        handler = self._handler(one)
        pending = self._ledger.begin(one, "deleting")
        try:
            handler.delete(Existing.of(one))
        except BaseException as error:
            self._ledger.fail(pending, doubtful=is_ambiguous(error))
            raise
        self._ledger.gone(one, pending=pending, again=again)
        for interrupted in self._ledger.interrupted({one.urn}):
            if interrupted.doing != "creating":
                self._ledger.dismiss(interrupted)

    def _handler(self, one: Resource) -> Handler:
        provider = self._ledger.current(one.provider.rpartition("::")[0])
        return self._providers.handler(one.type, provider)

    def _dependents(self, old: Resource) -> list[Resource]:
        condemned = {old.urn}
        found = []
        for one in self._ledger.kept():
            keys = [key for key, urns in one.property_dependencies.items() if condemned & {*urns}]
            if not keys or one is old or one.delete or one.pending_replacement or not one.custom:
                continue
            before = Existing.of(one)
            after = {**before.inputs, **dict.fromkeys(keys, UNKNOWN)}
            if self._handler(one).diff(before, after).replaces:
                condemned.add(one.urn)
                found.append(one)
        return found

    def _without_needed(
        self, waiting: Sequence[Resource], failed: Sequence[Resource]
    ) -> list[Resource]:
        """What is still to delete once something failed: not what the failed one needs."""
        left = list(waiting)
        blocked = list(failed)
        while blocked:
            cause = blocked.pop()
            needed = [one for one in left if one.urn in cause.needs()]
            for one in needed:
                if one.custom and not _is_default_provider(one):
                    step = _step(one)
                    reason = f"{name_of(cause.urn)}, which depends on it, is still there"
                    failure = Failure(step.urn, step.name, step.type, reason, "skipped")
                    self._report.failed(step, failure)
            left = [one for one in left if one not in needed]
            blocked += needed
        return left


def _is_default_provider(one: Resource) -> bool:
    return one.type.startswith(PROVIDER_PREFIX) and not one.parent


def refuse_protected(records: Sequence[Resource], lifted: Collection[str], *, stack: str) -> None:
    """Refuses to destroy what is protected before anything is deleted.

    Args:
        records: everything that is to be deleted.
        lifted: names of the resources whose data may be lost.
        stack: the stack's name, for the command in the refusal.

    A name that stands for nothing is no mistake by itself: a destroy that was killed is run again
    with the same words, when some of what they name is gone.

    Raises:
        ProtectedError: something is protected that is not named.
    """
    held = {one.name: one.type for one in records if one.protect and not one.delete}
    if held.keys() - set(lifted):
        unknown = sorted(set(lifted) - held.keys())
        lines = "".join(
            f"\n  {name} ({type_})" for name, type_ in held.items() if name not in lifted
        )
        raise ProtectedError(
            f"stack {stack} has protected resources, and nothing was deleted:{lines}"
            + (f"\n  None is called {', '.join(unknown)}." if unknown else ""),
            remedy="If their data may be lost, name them: "
            f"flowflare destroy --stack {quote(stack)} --lose-data {join(sorted(held))}",
        )


def _step(one: Resource) -> Step:
    note = "left by its replacement" if one.delete else ""
    if one.retain_on_delete:
        note = RETAINED
    return Step(
        "delete",
        one.urn,
        one.type,
        one.name,
        one.custom,
        note=note,
        old=shown_props(one.inputs),
        outputs=shown_props(one.outputs),
        protected=one.protect and not one.delete,
    )
