"""Create, update or replace each registered resource; in a preview, only plan that.

Each registration calls `Deployer.register` from a thread of its own, so independent resources are
created at the same time. State is written before and after each operation on the account.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from flowflare.engine.choice import EVERYTHING, Choice
from flowflare.engine.embedded.destroy import Deleter
from flowflare.engine.embedded.goal import Goal
from flowflare.engine.embedded.interrupted import revive, settle
from flowflare.engine.embedded.ledger import Ledger
from flowflare.engine.embedded.plan import Decision, decide_by_diff, decide_forced, keep_ignored
from flowflare.engine.embedded.provider_references import ProviderReferences
from flowflare.engine.embedded.providers.recorded import RecordedType
from flowflare.engine.embedded.providers.registry import Providers
from flowflare.engine.embedded.steps import step_of
from flowflare.engine.refused_steps import make_failure, refuse_step
from flowflare.engine.report import RunLog
from flowflare.errors import EngineError
from flowflare.kinds.handler import Completing, Existing, Handler, is_ambiguous
from flowflare.state.checkpoint import Resource
from flowflare.values.events import Failure, Step
from flowflare.values.properties import Props, annotate, has_unknown, make_secret, plain
from flowflare.values.urns import Alias, earlier_urns, name_of, type_of
from flowflare.values.wire import UNKNOWN_TEXT


@dataclass(frozen=True)
class Answer:
    """The answer to a registration.

    Attributes:
        id: the resource's ID, empty while it is not known.
        outputs: the outputs for the program; an output that a preview lacks is unknown.
        good: whether the registration succeeded; if not, its dependents are skipped.
    """

    urn: str
    id: str = ""
    outputs: Props = field(default_factory=dict)
    good: bool = True


@dataclass(frozen=True)
class _Case:
    """A custom resource's registration that is being served."""

    goal: Goal
    old: Resource | None
    handler: Handler
    inputs: Props
    decision: Decision

    @property
    def existing(self) -> Existing:
        assert self.old is not None
        return Existing.of(self.old)


class Deployer:
    """Serves the registrations of one run.

    Args:
        dry_run: whether the run is a preview, which calls nothing and writes nothing.
        choice: what the run works on.
    """

    def __init__(
        self,
        ledger: Ledger,
        providers: Providers,
        report: RunLog,
        *,
        dry_run: bool,
        choice: Choice = EVERYTHING,
    ) -> None:
        self._ledger = ledger
        self._providers = providers
        self._report = report
        self._dry_run = dry_run
        self._choice = choice
        self._lock = threading.RLock()
        self._aliases: dict[str, Sequence[str]] = {}
        self._failed: set[str] = set()
        self._absent: set[str] = set()
        self._replaced: set[str] = set()
        self._references = ProviderReferences(ledger, providers, dry_run=dry_run)
        self._deleter = Deleter(ledger, providers, report)

    def register(self, goal: Goal) -> Answer:
        """Serve one registration.

        Raises:
            EngineError: the program declares the same resource twice.
        """
        old = self._find_old(goal.urn, goal.parent, goal.aliases)
        if goal.custom and not (goal.is_provider or self._choice.includes(goal.urn)):
            return self._leave(goal, old)
        blocked = sorted(goal.needs() & self._failed)
        try:
            if absent := sorted(goal.needs() & self._absent):
                raise EngineError(
                    f"{name_of(absent[0])}, which it depends on, is neither in state nor a target",
                    remedy=f"Add --target {name_of(absent[0])}.",
                )
            if blocked:
                raise _SkippedError(f"{name_of(blocked[0])}, which it depends on, failed")
            if not self._dry_run and has_unknown(goal.inputs):
                raise _SkippedError("an input is unknown, because its source failed")
            if goal.custom:
                return self._register_custom(goal, old)
            return self._register_component(goal, old)
        except Exception as error:  # noqa: BLE001 -- a provider's failure is a result of the run
            return self._fail(goal, error)

    def _leave(self, goal: Goal, old: Resource | None) -> Answer:
        """Answer for a resource that is not a target: with its record, or as failed without one."""
        if old is None or old.pending_replacement:
            with self._lock:
                self._absent.add(goal.urn)
            return Answer(goal.urn, good=False)
        kept = self._ledger.put(replace(old, urn=goal.urn), old)
        return Answer(kept.urn, kept.id, kept.outputs)

    def choose_deletions(self, records: Sequence[Resource]) -> list[Resource]:
        """Return the records that the program does not declare and that may be deleted.

        Args:
            records: the records that the program does not declare.

        Raises:
            EngineError: a resource that is not a target depends on one that would be deleted.
        """
        if not self._choice.targets:
            return list(records)
        chosen = [record for record in records if self._choice.includes(record.urn)]
        urns = {record.urn for record in chosen}
        for record in records:
            if record.urn not in urns and record.needs() & urns:
                target = name_of(sorted(record.needs() & urns)[0])
                raise EngineError(
                    f"{target} is not deleted: {record.name} depends on it and is not a target",
                    remedy=f"Add --target {record.name}.",
                )
        return chosen

    def set_outputs(self, urn: str, outputs: Props) -> None:
        """Set the outputs of a component or the stack; an unknown output keeps its old value."""
        if self._dry_run:
            self._ledger.set_outputs(urn, outputs)
            return
        known = {key: value for key, value in outputs.items() if not has_unknown(value)}
        if known.keys() != outputs.keys():
            record = self._ledger.current(urn)
            before = record.outputs if record else {}
            known |= {key: before[key] for key in outputs.keys() - known.keys() if key in before}
        self._ledger.set_outputs(urn, known)

    def current(self, urn: str) -> Resource | None:
        """Return the newest record of a URN."""
        return self._ledger.current(urn)

    def read(self, goal: Goal, id_: str) -> Answer:
        """Serve a read of something that this stack does not manage.

        A preview returns what state remembers, or unknown outputs. It calls nothing, but reads
        files.
        """
        old = self._find_old(goal.urn, goal.parent, ())
        known = id_ != UNKNOWN_TEXT
        try:
            if not known and not self._dry_run:
                raise _SkippedError("its ID is unknown, because its source failed")
            reference, provider = self._references.of(goal)
            record = replace(goal.record({}, {}, id_), provider=reference, external=True)
            if self._dry_run and not (known and goal.is_local):
                remembered = old if old is not None and old.external and old.id == id_ else None
                outputs = remembered.outputs if remembered else {}
            else:
                handler = self._providers.handler(goal.type, provider)
                before = plain(old.outputs) if old is not None and old.external else {}
                made = handler.read(Existing(id_, plain(goal.inputs), before))
                if made is None:
                    raise EngineError(f"there is no {goal.type} with the id {id_!r}")
                outputs = make_secret(
                    annotate(made.outputs, goal.inputs), goal.additional_secret_outputs
                )
            kept = self._ledger.put(replace(record, outputs=outputs), old)
            return Answer(goal.urn, id_ if known else "", kept.outputs)
        except Exception as error:  # noqa: BLE001 -- as above
            return self._fail(goal, error)

    # One registration ---------------------------------------------------------------------------

    def _find_old(self, urn: str, parent: str, aliases: Sequence[Alias]) -> Resource | None:
        with self._lock:
            if urn in self._aliases:
                raise EngineError(
                    f"the program declares {name_of(urn)} ({type_of(urn)}) twice",
                    remedy="Give each resource a name of its own.",
                )
            earlier = earlier_urns(urn, parent, self._aliases.get(parent, ()), aliases)
            self._aliases[urn] = earlier
            named = [earlier_urn for earlier_urn in earlier if earlier_urn not in self._aliases]
            found = (self._ledger.find(candidate) for candidate in [urn, *named])
            return next((record for record in found if record is not None), None)

    def _register_component(self, goal: Goal, old: Resource | None) -> Answer:
        decision = decide_forced(goal, old, self._replaced)
        assert decision is not None
        step = step_of(goal, old, goal.inputs, decision)
        self._ledger.put(goal.record(goal.inputs, old.outputs if old else {}), old)
        if self._dry_run:
            self._report.plan_step(step)
        else:
            self._report.finish_step(step)
        return Answer(goal.urn, outputs=goal.inputs)

    def _register_custom(self, declared: Goal, old: Resource | None) -> Answer:
        reference, provider = self._references.of(declared)
        goal = replace(declared, provider=reference)
        handler = self._providers.handler(goal.type, provider)
        urns = (goal.urn, *self._aliases[goal.urn])
        if not self._dry_run:
            old = self._repair(goal, old, handler, urns)
        inputs = self._check(goal, old, handler)
        decision = decide_forced(goal, old, self._replaced)
        if decision is None and goal.urn in self._choice.replaced:
            decision = Decision("replace", delete_before_replace=True, note="--replace names it")
        if decision is None:
            assert old is not None
            diff = handler.diff(Existing.of(old), plain(inputs))
            decision = decide_by_diff(goal, old, inputs, diff)
        if decision.op == "replace":
            inputs = self._check(goal, None, handler)
        case = _Case(goal, old, handler, inputs, decision)
        return self._foresee(case) if self._dry_run else self._perform(case)

    def _repair(
        self, goal: Goal, old: Resource | None, handler: Handler, urns: Sequence[str]
    ) -> Resource | None:
        """Settle what an earlier run left unfinished; return the record that state has now."""
        unsettled, condemned = (
            self._ledger.list_interrupted(urns),
            self._ledger.list_condemned(urns),
        )
        if not unsettled and not condemned:
            return old
        wanted = self._check(goal, None, handler)
        if unsettled:
            old = settle(self._ledger, handler, urns, old, wanted)
        return revive(self._ledger, handler, urns, old, wanted) if condemned else old

    def _check(self, goal: Goal, old: Resource | None, handler: Handler) -> Props:
        wanted = keep_ignored(goal, old).inputs if old is not None else goal.inputs
        before = plain(old.inputs) if old is not None else {}
        checked: Props = annotate(handler.check(before, plain(wanted)), wanted)
        return checked

    def _foresee(self, case: _Case) -> Answer:
        goal, old, op = case.goal, case.old, case.decision.op
        step = step_of(goal, old, case.inputs, case.decision)
        self._report.plan_step(step)
        if op == "replace":
            self._replaced.add(goal.urn)
            if _is_protected(goal, old):
                self._report.fail_step(step, make_failure(step, refuse_step(step, "replaced")))
        if op != "same" and isinstance(case.handler, RecordedType) and case.handler.is_refused:
            self._report.fail_step(step, make_failure(step, case.handler.make_refusal()))
        known = old is not None and op in ("same", "update")
        if op == "same":
            assert old is not None
            outputs = old.outputs
        else:
            foreseen = case.handler.foresee(case.existing if known else None, plain(case.inputs))
            foreseen = {**foreseen, **self.future_outputs(goal, case.inputs)}
            outputs = annotate(foreseen, old.outputs if old is not None and known else {})
        outputs = make_secret(annotate(outputs, case.inputs), goal.additional_secret_outputs)
        id_ = old.id if old is not None and known else self.future_id(goal)
        self._ledger.put(goal.record(case.inputs, outputs, id_ or UNKNOWN_TEXT), old)
        return Answer(goal.urn, id_, outputs)

    def future_id(self, goal: Goal) -> str:  # noqa: ARG002 -- a recording has a stand-in for it
        """Return the ID that `up` would get: empty, because a preview does not know it."""
        return ""

    def future_outputs(self, goal: Goal, inputs: Props) -> Props:  # noqa: ARG002 -- as above
        """Return outputs that a preview knows besides those that the provider predicts."""
        return {}

    def _perform(self, case: _Case) -> Answer:
        step = step_of(case.goal, case.old, case.inputs, case.decision)
        if case.decision.op == "same":
            record = self._keep(case)
            self._report.finish_step(step)
            return Answer(record.urn, record.id, record.outputs)
        if case.decision.op == "replace" and _is_protected(case.goal, case.old):
            raise refuse_step(step, "replaced")
        since = self._report.start_step(step)
        try:
            if case.decision.op == "update":
                record = self._update(case)
            elif case.decision.op == "replace":
                record = self._replace(case)
            else:
                record = self._create(case, None)
        except Exception as error:
            raise _StepFailedError(step, since) from error
        self._report.finish_step(step, since)
        return Answer(record.urn, record.id, record.outputs)

    def _keep(self, case: _Case) -> Resource:
        assert case.old is not None
        old, outputs = case.old, case.old.outputs
        if isinstance(case.handler, Completing):
            outputs = case.handler.complete_record(old.id, outputs)
        return self._ledger.put(self._make_record(case, outputs, old.id), old)

    def _update(self, case: _Case) -> Resource:
        old = case.old
        assert old is not None
        begun = self._make_record(case, old.outputs, old.id)
        pending = self._ledger.begin(begun, "updating")
        try:
            outputs = case.handler.update(case.existing, plain(case.inputs))
        except BaseException as error:
            self._ledger.fail(pending, doubtful=is_ambiguous(error))
            raise
        record = self._make_record(case, outputs, old.id)
        return self._ledger.put(record, old, pending=pending)

    def _create(self, case: _Case, replaced: Resource | None) -> Resource:
        pending = self._ledger.begin(case.goal.record(case.inputs, {}), "creating")
        try:
            made = case.handler.create(plain(case.inputs))
        except BaseException as error:
            self._ledger.fail(pending, doubtful=is_ambiguous(error))
            raise
        record = self._make_record(case, made.outputs, made.id)
        keep = replaced is not None and not replaced.pending_replacement and not replaced.external
        return self._ledger.put(record, replaced, pending=pending, keep_old=keep)

    def _replace(self, case: _Case) -> Resource:
        old = case.old
        assert old is not None
        if case.decision.delete_before_replace and not old.pending_replacement:
            old = self._deleter.delete_before_replace(old)
        with self._lock:
            self._replaced.add(case.goal.urn)
        return self._create(case, old)

    def _make_record(self, case: _Case, outputs: Props, id_: str) -> Resource:
        marked = annotate(outputs, case.inputs)
        return case.goal.record(
            case.inputs, make_secret(marked, case.goal.additional_secret_outputs), id_
        )

    def _fail(self, goal: Goal, error: Exception) -> Answer:
        since = None
        step = step_of(goal, None, {}, Decision("same"))
        if isinstance(error, _StepFailedError):
            step, since = error.step, error.since
            assert isinstance(error.__cause__, Exception)
            error = error.__cause__
        with self._lock:
            self._failed.add(goal.urn)
        self._report.fail_step(step, _make_failure(step, error), since)
        return Answer(goal.urn, good=False)


class _SkippedError(Exception):
    """A resource is skipped because one that it depends on failed."""


class _StepFailedError(Exception):
    """A step failed after it had begun; the reason is the exception's cause."""

    def __init__(self, step: Step, since: float) -> None:
        super().__init__(step.name)
        self.step, self.since = step, since


def _is_protected(goal: Goal, old: Resource | None) -> bool:
    """Return whether `protect` forbids a replacement: if both state and program set it."""
    return old is not None and old.protect and goal.protect and not old.pending_replacement


def _make_failure(step: Step, error: Exception) -> Failure:
    if isinstance(error, _SkippedError):
        return Failure(step.urn, step.name, step.type, str(error), "skipped")
    return make_failure(step, error)
