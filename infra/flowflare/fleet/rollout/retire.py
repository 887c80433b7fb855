"""Takes tenants' stacks away for good: first an export of their databases, proven; then all of it.

Each tenant goes its own way through both, and what stops one leaves the others alone. A run that
was killed is run again: exports are made anew of what is there, and stand for what is not.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING, Any, Literal

from flowflare.errors import FleetError
from flowflare.fleet.records import Outcome, TenantRecord
from flowflare.fleet.rollout import events
from flowflare.fleet.rollout.events import Emit
from flowflare.fleet.rollout.rollout import (
    WAIT,
    Rules,
    Runner,
    Writer,
    is_same,
    step_event,
    written,
)
from flowflare.fleet.workers.pool import Result, Task, TaskEvent

if TYPE_CHECKING:
    from flowflare.fleet.session import Session
    from flowflare.fleet.tenants.model import Tenant


@dataclass(frozen=True)
class Leaving:
    """A tenant that is taken away.

    Attributes:
        tenant: its name.
        stack: its stack.
    """

    tenant: str
    stack: str


@dataclass(frozen=True)
class Removed:
    """How taking away ended.

    Attributes:
        gone: tenants whose stacks are gone.
        failed: those whose stacks are not.
        api_calls: how many calls to the API it took.
    """

    gone: tuple[str, ...]
    failed: tuple[str, ...]
    api_calls: int


class Removal:
    """Exports and destroys.

    Args:
        runner: what does it.
        records: where outcomes are kept.
        emit: is told what happens.
        rules: release and clocks, for the records.
        outcome: what the record says in the end.
        exports: where exports go, a folder or an `s3://` URL; None for no export.
    """

    def __init__(
        self,
        runner: Runner,
        records: Writer,
        emit: Emit,
        rules: Rules,
        *,
        outcome: Literal["retired", "destroyed"],
        exports: str | None,
    ) -> None:
        self._runner = runner
        self._records = records
        self._emit = emit
        self._rules = rules
        self._outcome: Literal["retired", "destroyed"] = outcome
        self._exports = exports
        self._api_calls = 0
        self._gone: list[str] = []
        self._failed: list[str] = []

    def run(self, leaving: Sequence[Leaving]) -> Removed:
        """Takes tenants away.

        Args:
            leaving: who; each was asked for by its name.
        """
        names = {one.stack: one.tenant for one in leaving}
        for result in self._runner.run(
            self._first_tasks(leaving), lambda one: self._tell(names, one)
        ):
            if self._took(names, result):
                self._exported(names[result.task.stack], result)
        destroys = [
            Task(
                "destroy",
                one.stack,
                {"lose_data": "all", "wait": WAIT, "exports": self._exports},
            )
            for one in leaving
            if one.tenant not in self._failed
        ]
        for result in self._runner.run(destroys, lambda one: self._tell(names, one)):
            if self._took(names, result):
                self._destroyed(names[result.task.stack], result)
        return Removed(tuple(self._gone), tuple(self._failed), self._api_calls)

    def _first_tasks(self, leaving: Sequence[Leaving]) -> Iterator[Task]:
        for one in leaving:
            self._records.claim(self._record(one.stack, "running"))
            if self._exports is not None:
                yield Task("export", one.stack, {"exports": self._exports})

    def _tell(self, names: Mapping[str, str], event: TaskEvent) -> None:
        tenant, task = names[event.task.stack], event.task
        if event.kind == "began":
            doing: Literal["export", "destroy"] = "export" if task.kind == "export" else "destroy"
            self._emit(events.TenantBegan(tenant=tenant, stack=task.stack, doing=doing))
        elif not is_same(event):
            self._emit(step_event(tenant, event))

    def _took(self, names: Mapping[str, str], result: Result) -> bool:
        """Counts a result; whether it is a good one."""
        self._api_calls += result.api_calls
        if result.ok:
            return True
        tenant, stack = names[result.task.stack], result.task.stack
        self._failed.append(tenant)
        if result.held:
            self._records.release(stack)
        else:
            self._records.write(self._record(stack, "failed", result))
        self._emit(
            events.TenantFailed(
                tenant=tenant,
                stack=stack,
                outcome="failed",
                error=result.error,
                remedy=result.remedy,
                seconds=round(result.seconds, 3),
                api_calls=result.api_calls,
            )
        )
        return False

    def _exported(self, tenant: str, result: Result) -> None:
        value: Mapping[str, Any] = result.value or {}
        self._emit(
            events.Exported(
                tenant=tenant,
                stack=result.task.stack,
                place=str(value.get("place") or ""),
                databases=value.get("databases") or {},
            )
        )

    def _destroyed(self, tenant: str, result: Result) -> None:
        value: Mapping[str, Any] = result.value or {}
        self._gone.append(tenant)
        self._records.write(self._record(result.task.stack, self._outcome, result))
        self._emit(
            events.TenantDone(
                tenant=tenant,
                stack=result.task.stack,
                outcome=self._outcome,
                changed=int(value.get("changed") or 0),
                seconds=round(result.seconds, 3),
                api_calls=result.api_calls,
            )
        )

    def _record(self, stack: str, outcome: Outcome, result: Result | None = None) -> TenantRecord:
        return TenantRecord(
            stack=stack,
            outcome=outcome,
            at=written(self._rules.now()),
            seconds=round(result.seconds, 3) if result else 0.0,
            api_calls=result.api_calls if result else 0,
            error=result.error if result else "",
            release=self._rules.release,
        )


def to_retire(
    session: "Session",
    named: Collection[str],
    records: Mapping[str, TenantRecord],
    asked: Collection[str] = (),
) -> tuple[tuple[Leaving, ...], tuple[str, ...]]:
    """The tenants that an `up` has to take away, each of which must have been named.

    Args:
        session: the selected tenants.
        named: the names given with `--retire`.
        records: what is known (`Records.all`).
        asked: the names given with `--tenants`: who asks for a retired one is told what to name.

    Returns:
        Those to take away; and the names of those that are retired in the file, stand still, and
        are left alone since nobody named them.

    Raises:
        FleetError: a named one is not retired in the file, or one that was asked for is not named.
    """
    file, retired = session.fleet.file, [one for one in session.tenants if one.status == "retired"]
    known = {one.name: one.status for one in session.tenants}
    for name in named:
        if name not in known:
            raise FleetError(f"--retire {name}: it is not among the selected tenants")
        if known[name] != "retired":
            message = f"--retire {name}: {file} says that it is {known[name]}"
            raise FleetError(message, remedy="Write `status: retired` for it there first.")
    there = standing(session, retired, records)
    left = tuple(one.tenant for one in there if one.tenant not in named)
    refused = [name for name in left if name in asked]
    if refused:
        options = " ".join(f"--retire {quote(name)}" for name in refused)
        raise FleetError(
            f"retired in {file}, and still there: {', '.join(refused)}",
            remedy=f"Its databases are exported, then all of it is deleted: add {options}",
        )
    return tuple(one for one in there if one.tenant in named), left


def standing(
    session: "Session", tenants: Iterable["Tenant"], records: Mapping[str, TenantRecord]
) -> tuple[Leaving, ...]:
    """Those of some tenants whose stacks may have resources.

    Args:
        session: their environment.
        tenants: the tenants.
        records: what is known (`Records.all`).
    """
    return tuple(
        Leaving(one.name, session.stack(one)) for one in tenants if session.stands(one, records)
    )
