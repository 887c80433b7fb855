"""What a command over an environment works on: its tenants, as files have them and as recorded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from flowflare.config.engine import ENGINE, Engine, engine_named
from flowflare.config.files import read_base
from flowflare.fleet.records import Records, TenantRecord
from flowflare.fleet.tenants.files import refuse_outdated, stack_files
from flowflare.fleet.tenants.model import Environment, Fleet, Tenant, stack_of
from flowflare.fleet.tenants.passphrases import Passphrases
from flowflare.fleet.tenants.read import read_fleet
from flowflare.fleet.tenants.selection import Selection, select
from flowflare.state.location import store_of

if TYPE_CHECKING:
    from flowflare.state.backends.store import Store


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

    @cached_property
    def environ_of(self) -> Callable[[str], Mapping[str, str]]:
        """Makes a stack's environment: its passphrase is in it, and no other stack's."""
        return self.passphrases.environ_of

    @cached_property
    def passphrases(self) -> Passphrases:
        """Opens the stacks' passphrases."""
        return Passphrases(self.fleet, self.root, self.environ)

    @property
    def needs_cli(self) -> bool:
        """Whether the Pulumi CLI runs any of the tenants' stacks."""
        return any(engine.needs_cli for engine in self.engines.values())

    @cached_property
    def engines(self) -> Mapping[str, Engine]:
        """The engine of each tenant's stack, by the stack's name."""
        base = read_base(self.root).values.get(ENGINE)
        inherited = base.text if base else None
        return {
            self.stack(one): engine_named(
                one.config.get(self.environment.name, {}).get(ENGINE, inherited)
            )
            for one in self.tenants
        }

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
