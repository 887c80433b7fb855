"""What a command over an environment works with: its tenants, their records, workers and budget."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from flowflare.config.files import read_base
from flowflare.engine.state_folder import store_of
from flowflare.errors import FleetError
from flowflare.fleet.pool import OnTaskEvent, Pool, Result, Task
from flowflare.fleet.records import Records, TenantRecord
from flowflare.fleet.retire import Leaving
from flowflare.fleet.tenants.files import refuse_outdated, stack_files
from flowflare.fleet.tenants.model import Environment, Fleet, Tenant, stack_of
from flowflare.fleet.tenants.passphrases import Passphrases
from flowflare.fleet.tenants.read import read_fleet
from flowflare.fleet.tenants.selection import Selection, select

if TYPE_CHECKING:
    from flowflare.fleet.forwarder import Forwarder, OnBudgetEvent
    from flowflare.storage.store import Store


@dataclass(frozen=True)
class Session:
    """The selected tenants of one environment.

    Attributes:
        root: the project's folder.
        environ: the environment of this process.
        project: the Pulumi project's name.
        fleet: the fleet.
        environment: the environment.
        tenants: those that are selected, whatever their status.
        store: the state backend.
        records: what is known of the environment's stacks.
    """

    root: Path
    environ: Mapping[str, str]
    project: str
    fleet: Fleet
    environment: Environment
    tenants: tuple[Tenant, ...]
    store: "Store"
    records: Records

    @property
    def standing(self) -> tuple[Tenant, ...]:
        """Those that are to be up, or suspended."""
        return tuple(one for one in self.tenants if one.status != "retired")

    def stack(self, tenant: Tenant) -> str:
        """The stack of a tenant."""
        return stack_of(tenant.name, self.environment.name)

    def leaving(self, tenant: Tenant) -> Leaving:
        """A tenant that is taken away."""
        return Leaving(tenant.name, self.stack(tenant))

    def stands(self, tenant: Tenant, records: Mapping[str, TenantRecord]) -> bool:
        """Whether a tenant's stack may have resources.

        Args:
            tenant: the tenant.
            records: what is known (`Records.all`). Where nothing is, state tells, and state that
                cannot be read may hold anything.
        """
        known = records.get(self.stack(tenant))
        if known is not None:
            return known.outcome not in ("retired", "destroyed")
        from flowflare.config.files import read_project
        from flowflare.errors import FlowflareError
        from flowflare.fleet.engines import opened

        try:
            project = read_project(self.root, self.stack(tenant))
            return not opened(project, self.environ).is_empty()
        except FlowflareError:
            return True


def open_session(
    root: Path,
    environ: Mapping[str, str],
    environment: str,
    selection: Selection,
    *,
    files: bool = True,
) -> Session:
    """Reads a fleet and chooses tenants of it.

    Args:
        root: the project's folder.
        environ: the environment of this process.
        environment: the environment's name.
        selection: which tenants.
        files: whether the stacks' files must be as the fleet says.

    Raises:
        ConfigError: the fleet's files are not in order, every problem.
        FleetError: there is no such environment or tenant, or stacks' files are not as they should
            be.
    """
    fleet = read_fleet(root, environ)
    tenants = select(fleet, environment, selection)
    stacks = {stack_of(one.name, environment) for one in tenants}
    if files:
        refuse_outdated(one for one in stack_files(fleet, root, environment) if one.stack in stacks)
    project, store = read_base(root).name, store_of(root, environ)
    return Session(
        root=root,
        environ=environ,
        project=project,
        fleet=fleet,
        environment=fleet.environment(environment),
        tenants=tenants,
        store=store,
        records=Records(store, project, environment),
    )


@dataclass(frozen=True)
class Workshop:
    """Workers and the budget that they share.

    Attributes:
        workers: the processes.
        forwarder: what their calls go through.
    """

    workers: Pool
    forwarder: "Forwarder"

    def run(self, tasks: Iterable[Task], on_event: OnTaskEvent | None = None) -> Iterator[Result]:
        """Does tasks as the pool does; the calls of each are those that the forwarder counted."""
        before = self.forwarder.counts()
        for result in self.workers.run(tasks, on_event):
            stack, now = result.task.stack, self.forwarder.counts()
            calls = now.get(stack, 0) - before.get(stack, 0)
            before = {**before, stack: now.get(stack, 0)}
            yield replace(result, api_calls=max(calls, result.api_calls))

    def stop(self) -> None:
        """Hands out no more tasks."""
        self.workers.stop()


@contextmanager
def workshop(
    session: Session, workers: int | None, on_budget: "OnBudgetEvent | None" = None
) -> Iterator[Workshop]:
    """Starts the forwarder; workers are started when there is something to do.

    Args:
        session: whose stacks are worked on.
        workers: how many processes; None for what cores and memory allow.
        on_budget: is told when calls wait for the account's budget.
    """
    from flowflare.fleet.forwarder import Forwarder, Limit
    from flowflare.fleet.forwarder.limit import reserve_of

    reserve = reserve_of(session.environ)
    passphrases = Passphrases(session.fleet, session.root, session.environ)
    limit_of: Callable[[str], Limit] = lambda upstream: Limit.of(upstream, reserve)  # noqa: E731
    with (
        Forwarder(limit_of=limit_of, on_event=on_budget) as forwarder,
        Pool(session.root, passphrases.environ_of, workers, forwarder.address) as pool,
    ):
        yield Workshop(pool, forwarder)


def to_retire(
    session: Session, named: tuple[str, ...], records: Mapping[str, TenantRecord]
) -> tuple[Tenant, ...]:
    """The tenants that an `up` has to take away, each of which must have been named.

    Args:
        session: the selected tenants.
        named: the names given with `--retire`.
        records: what is known (`Records.all`).

    Raises:
        FleetError: one is retired in the file and not named, or the other way round.
    """
    file, retired = session.fleet.file, [one for one in session.tenants if one.status == "retired"]
    known = {one.name: one.status for one in session.tenants}
    for name in named:
        if name not in known:
            raise FleetError(f"--retire {name}: it is not among the selected tenants")
        if known[name] != "retired":
            message = f"--retire {name}: {file} says that it is {known[name]}"
            raise FleetError(message, remedy="Write `status: retired` for it there first.")
    left = [one for one in retired if session.stands(one, records)]
    unnamed = [one.name for one in left if one.name not in named]
    if unnamed:
        options = " ".join(f"--retire {name}" for name in unnamed)
        raise FleetError(
            f"{', '.join(unnamed)}: retired in {file}, and its stack stands still"
            if len(unnamed) == 1
            else f"{', '.join(unnamed)}: retired in {file}, and their stacks stand still",
            remedy=f"Its databases are exported, then all of it is deleted: add {options}",
        )
    return tuple(left)
