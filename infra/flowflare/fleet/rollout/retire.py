"""Remove tenants' stacks: export and verify their databases, then destroy the stacks.

A tenant that fails does not stop the others. After a killed run, run the command again: existing
databases are exported again, and deleted databases keep their earlier exports.
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
    RecordWriter,
    RolloutRules,
    TaskRunner,
    format_time,
    is_unchanged,
    make_step_event,
)
from flowflare.fleet.workers.pool import Result, Task, TaskEvent

if TYPE_CHECKING:
    from flowflare.fleet.session import FleetSession
    from flowflare.fleet.tenants.model import Tenant


@dataclass(frozen=True)
class LeavingTenant:
    """A tenant that will be removed.

    Attributes:
        tenant: its name.
        stack: its stack.
    """

    tenant: str
    stack: str


@dataclass(frozen=True)
class RemovalResult:
    """The result of a removal.

    Attributes:
        removed: tenants whose stacks were removed.
        failed: tenants whose stacks were not removed.
        api_calls: the number of requests to Cloudflare's API.
    """

    removed: tuple[str, ...]
    failed: tuple[str, ...]
    api_calls: int


class Removal:
    """Export and destroy stacks.

    Args:
        runner: runs the tasks.
        records: stores the outcomes.
        emit: is called with each event.
        rules: the release and clocks, for the records.
        outcome: the outcome to record at the end.
        exports: the folder or `s3://` URL for exports; None for no export.
    """

    def __init__(
        self,
        runner: TaskRunner,
        records: RecordWriter,
        emit: Emit,
        rules: RolloutRules,
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
        self._removed: list[str] = []
        self._failed: list[str] = []

    def run(self, leaving: Sequence[LeavingTenant]) -> RemovalResult:
        """Export and destroy the stacks of tenants.

        Args:
            leaving: the tenants, each of which the user has named.
        """
        names = {tenant.stack: tenant.tenant for tenant in leaving}
        for result in self._runner.run(
            self._export_tasks(leaving), lambda event: self._report(names, event)
        ):
            if self._count(names, result):
                self._report_export(names[result.task.stack], result)
        destroys = [
            Task(
                "destroy",
                tenant.stack,
                {"lose_data": "all", "wait": WAIT, "exports": self._exports},
            )
            for tenant in leaving
            if tenant.tenant not in self._failed
        ]
        for result in self._runner.run(destroys, lambda event: self._report(names, event)):
            if self._count(names, result):
                self._record_removal(names[result.task.stack], result)
        return RemovalResult(tuple(self._removed), tuple(self._failed), self._api_calls)

    def _export_tasks(self, leaving: Sequence[LeavingTenant]) -> Iterator[Task]:
        for tenant in leaving:
            self._records.claim(self._record(tenant.stack, "running"))
            if self._exports is not None:
                yield Task("export", tenant.stack, {"exports": self._exports})

    def _report(self, names: Mapping[str, str], event: TaskEvent) -> None:
        tenant, task = names[event.task.stack], event.task
        if event.kind == "began":
            doing: Literal["export", "destroy"] = "export" if task.kind == "export" else "destroy"
            self._emit(events.TenantBegan(tenant=tenant, stack=task.stack, doing=doing))
        elif not is_unchanged(event):
            self._emit(make_step_event(tenant, event))

    def _count(self, names: Mapping[str, str], result: Result) -> bool:
        """Count a result, record a failure, and return whether it succeeded."""
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

    def _report_export(self, tenant: str, result: Result) -> None:
        value: Mapping[str, Any] = result.value or {}
        self._emit(
            events.Exported(
                tenant=tenant,
                stack=result.task.stack,
                place=str(value.get("place") or ""),
                databases=value.get("databases") or {},
            )
        )

    def _record_removal(self, tenant: str, result: Result) -> None:
        value: Mapping[str, Any] = result.value or {}
        self._removed.append(tenant)
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
            at=format_time(self._rules.now()),
            seconds=round(result.seconds, 3) if result else 0.0,
            api_calls=result.api_calls if result else 0,
            error=result.error if result else "",
            release=self._rules.release,
        )


def select_retired(
    session: "FleetSession",
    named: Collection[str],
    records: Mapping[str, TenantRecord],
    asked: Collection[str] = (),
) -> tuple[tuple[LeavingTenant, ...], tuple[str, ...]]:
    """Select the retired tenants that `up` will remove; `--retire` must name each of them.

    Args:
        session: the selected tenants.
        named: the names given with `--retire`.
        records: the records of the stacks (`TenantRecords.read_all`).
        asked: the names given with `--tenants`. A retired tenant among them must also be given
            with `--retire`.

    Returns:
        The tenants to remove; and the names of the tenants that are retired in the file but still
        exist, and are kept because `--retire` does not name them.

    Raises:
        FleetError: a tenant given with `--retire` is not retired in the file, or a retired tenant
            given with `--tenants` is not given with `--retire`.
    """
    file = session.fleet.file
    retired = [tenant for tenant in session.tenants if tenant.status == "retired"]
    known = {tenant.name: tenant.status for tenant in session.tenants}
    for name in named:
        if name not in known:
            raise FleetError(f"--retire {name}: it is not among the selected tenants")
        if known[name] != "retired":
            message = f"--retire {name}: {file} says that it is {known[name]}"
            raise FleetError(message, remedy="Write `status: retired` for it there first.")
    existing = list_existing(session, retired, records)
    kept = tuple(tenant.tenant for tenant in existing if tenant.tenant not in named)
    refused = [name for name in kept if name in asked]
    if refused:
        options = " ".join(f"--retire {quote(name)}" for name in refused)
        raise FleetError(
            f"retired in {file}, but not removed yet: {', '.join(refused)}",
            remedy=f"To export the databases and then delete everything, add {options}",
        )
    return tuple(tenant for tenant in existing if tenant.tenant in named), kept


def list_existing(
    session: "FleetSession", tenants: Iterable["Tenant"], records: Mapping[str, TenantRecord]
) -> tuple[LeavingTenant, ...]:
    """List the tenants whose stacks may have resources.

    Args:
        session: their environment.
        tenants: the tenants.
        records: the records of the stacks (`TenantRecords.read_all`).
    """
    return tuple(
        LeavingTenant(tenant.name, session.stack(tenant))
        for tenant in tenants
        if session.may_have_resources(tenant, records)
    )
