"""Remove tenants' stacks: export and verify their databases, then destroy the stacks.

A tenant that fails does not stop the others. After a killed run, run the command again: existing
databases are exported again, and deleted databases keep their earlier exports.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from shlex import quote
from typing import Literal

from flowflare.errors import FleetError
from flowflare.fleet.records import Outcome, TenantRecord, TenantRecords
from flowflare.fleet.rollout import events
from flowflare.fleet.rollout.events import Emit, format_time
from flowflare.fleet.rollout.rollout import (
    WAIT,
    RolloutRules,
    is_unchanged,
    make_done_event,
    make_failed_event,
    make_step_event,
    measure_run,
)
from flowflare.fleet.session import FleetSession
from flowflare.fleet.tenants.model import Tenant
from flowflare.fleet.workers.pool import Result, Task, TaskEvent
from flowflare.fleet.workers.workshop import Workshop

#: Tenants that will be removed: their names by stack.
LeavingTenants = Mapping[str, str]


@dataclass(frozen=True)
class RemovalResult:
    """The result of a removal.

    Attributes:
        api_calls: the number of requests to Cloudflare's API.
    """

    removed: tuple[str, ...]
    failed: tuple[str, ...]
    api_calls: int


@dataclass
class Removal:
    """Export and destroy stacks.

    Attributes:
        rules: the release and clocks, for the records.
        exports: the folder or `s3://` URL for exports; None for no export.
    """

    runner: Workshop
    records: TenantRecords
    emit: Emit
    rules: RolloutRules
    outcome: Literal["retired", "destroyed"]
    exports: str | None
    _api_calls: int = field(default=0, init=False)
    _removed: list[str] = field(default_factory=list, init=False)
    _failed: list[str] = field(default_factory=list, init=False)

    def run(self, leaving: LeavingTenants) -> RemovalResult:
        """Export and destroy the stacks of tenants, each of which the user has named."""
        for result in self._run_tasks(leaving, self._make_exports(leaving)):
            place, databases = result.value["place"], result.value["databases"]
            tenant, stack = leaving[result.task.stack], result.task.stack
            self.emit(events.Exported(tenant=tenant, stack=stack, place=place, databases=databases))
        options = {"lose_data": "all", "wait": WAIT, "exports": self.exports}
        destroys = [
            Task("destroy", stack, options)
            for stack, tenant in leaving.items()
            if tenant not in self._failed
        ]
        for result in self._run_tasks(leaving, destroys):
            tenant = leaving[result.task.stack]
            self._removed.append(tenant)
            self.records.write(self._record(result.task.stack, self.outcome, result))
            self.emit(make_done_event(tenant, self.outcome, result))
        return RemovalResult(tuple(self._removed), tuple(self._failed), self._api_calls)

    def _make_exports(self, leaving: LeavingTenants) -> Iterator[Task]:
        for stack in leaving:
            self.records.claim(self._record(stack, "running"))
            if self.exports is not None:
                yield Task("export", stack, {"exports": self.exports})

    def _run_tasks(self, leaving: LeavingTenants, tasks: Iterable[Task]) -> Iterator[Result]:
        """Run tasks, record and report the failures, and yield the results of the others."""
        for result in self.runner.run(tasks, lambda event: self._report(leaving, event)):
            self._api_calls += result.api_calls
            if result.ok:
                yield result
                continue
            tenant, stack = leaving[result.task.stack], result.task.stack
            self._failed.append(tenant)
            if result.held:
                self.records.release(stack)
            else:
                self.records.write(self._record(stack, "failed", result))
            self.emit(make_failed_event(tenant, "failed", result, result.error, result.remedy))

    def _report(self, leaving: LeavingTenants, event: TaskEvent) -> None:
        tenant, task = leaving[event.task.stack], event.task
        if event.kind == "began":
            doing: Literal["export", "destroy"] = "export" if task.kind == "export" else "destroy"
            self.emit(events.TenantBegan(tenant=tenant, stack=task.stack, doing=doing))
        elif not is_unchanged(event):
            self.emit(make_step_event(tenant, event))

    def _record(self, stack: str, outcome: Outcome, result: Result | None = None) -> TenantRecord:
        return TenantRecord(
            stack=stack,
            outcome=outcome,
            at=format_time(self.rules.now()),
            error=result.error if result else "",
            release=self.rules.release,
            **measure_run(result),
        )


def select_retired(
    session: FleetSession,
    named: Collection[str],
    records: Mapping[str, TenantRecord],
    asked: Collection[str] = (),
) -> tuple[LeavingTenants, tuple[str, ...]]:
    """Select the retired tenants that `up` will remove; `--retire` must name each of them.

    Args:
        named: the names given with `--retire`.
        asked: the names given with `--tenants`. A retired tenant among them must also be given
            with `--retire`.

    Returns:
        The tenants to remove, and the names of retired tenants that still exist and are kept
        because `--retire` does not name them.

    Raises:
        FleetError: a tenant given with `--retire` is not retired in the file, or a retired tenant
            given with `--tenants` is not given with `--retire`.
    """
    file = session.fleet.file
    known = {tenant.name: tenant.status for tenant in session.tenants}
    for name in named:
        if name not in known:
            raise FleetError(f"--retire {name}: it is not among the selected tenants")
        if known[name] != "retired":
            message = f"--retire {name}: {file} says that it is {known[name]}"
            raise FleetError(message, remedy="Write `status: retired` for it there first.")
    retired = [tenant for tenant in session.tenants if tenant.status == "retired"]
    existing = list_existing(session, retired, records)
    kept = tuple(tenant for tenant in existing.values() if tenant not in named)
    refused = [name for name in kept if name in asked]
    if refused:
        options = " ".join(f"--retire {quote(name)}" for name in refused)
        raise FleetError(
            f"retired in {file}, but not removed yet: {', '.join(refused)}",
            remedy=f"To export the databases and then delete everything, add {options}",
        )
    return {stack: tenant for stack, tenant in existing.items() if tenant in named}, kept


def list_existing(
    session: FleetSession, tenants: Iterable[Tenant], records: Mapping[str, TenantRecord]
) -> LeavingTenants:
    """List the tenants whose stacks may have resources, by their records or else their states."""
    return {
        session.stack(tenant): tenant.name
        for tenant in tenants
        if session.may_have_resources(tenant, records)
    }
