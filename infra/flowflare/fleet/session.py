"""Open an environment of the fleet for a command: its tenants, their files and their records."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from flowflare.config.engine import ENGINE, Engine, engine_named
from flowflare.config.files import Project, read_project_file
from flowflare.config.yaml_nodes import YamlText
from flowflare.errors import FlowflareError
from flowflare.fleet.engines import open_fleet_stack
from flowflare.fleet.records import TenantRecord, TenantRecords
from flowflare.fleet.tenants.files import refuse_outdated, stack_files
from flowflare.fleet.tenants.model import Environment, Fleet, Tenant, stack_of
from flowflare.fleet.tenants.passphrases import Passphrases
from flowflare.fleet.tenants.read import read_fleet
from flowflare.fleet.tenants.selection import Selection, select
from flowflare.state.backends.store import Store
from flowflare.state.location import open_project_store


@dataclass(frozen=True)
class FleetSession:
    """The selected tenants of one environment.

    Attributes:
        files: the stacks' files that were read and not yet parsed, by stack.
    """

    environ: Mapping[str, str]
    fleet: Fleet
    environment: Environment
    tenants: tuple[Tenant, ...]
    store: Store
    records: TenantRecords
    files: dict[str, YamlText] = field(default_factory=dict, repr=False)

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.fleet.project.root

    @property
    def project(self) -> str:
        """The Pulumi project's name."""
        return self.fleet.project.name

    @cached_property
    def _stacks(self) -> dict[str, Project]:
        return {}

    def read_stack(self, stack: str) -> Project:
        """Return the project with a stack's configuration; the stack's file is read once.

        Raises:
            ConfigError: the stack's file has problems.
        """
        if stack not in self._stacks:
            written, project = self.files.pop(stack, None), self.fleet.project
            self._stacks[stack] = (
                project.parse_stack(stack, written) if written else project.read_stack(stack)
            )
        return self._stacks[stack]

    @property
    def standing(self) -> tuple[Tenant, ...]:
        """The selected tenants that are active or suspended."""
        return tuple(tenant for tenant in self.tenants if tenant.status != "retired")

    def stack(self, tenant: Tenant) -> str:
        """The name of a tenant's stack."""
        return stack_of(tenant.name, self.environment.name)

    @cached_property
    def environ_of(self) -> Callable[[str], Mapping[str, str]]:
        """A function that makes a stack's environment variables, with its own passphrase only."""
        return self.passphrases.environ_of

    @cached_property
    def passphrases(self) -> Passphrases:
        """The passphrases of the stacks."""
        return Passphrases(self.fleet, self.root, self.environ)

    @property
    def needs_cli(self) -> bool:
        """Whether any of the tenants' stacks needs the Pulumi CLI."""
        return any(engine.needs_cli for engine in self.engines.values())

    @cached_property
    def engines(self) -> Mapping[str, Engine]:
        """The engine of each tenant's stack, by the stack's name."""
        base = self.fleet.project.values.get(ENGINE)
        inherited = base.text if base else None
        return {
            self.stack(tenant): engine_named(
                tenant.config.get(self.environment.name, {}).get(ENGINE, inherited)
            )
            for tenant in self.tenants
        }

    def may_have_resources(self, tenant: Tenant, records: Mapping[str, TenantRecord]) -> bool:
        """Return whether a tenant's stack may have resources.

        A stack without a record has resources if its state has some or cannot be read.
        """
        known = records.get(self.stack(tenant))
        if known is not None:
            return known.outcome not in ("retired", "destroyed")

        try:
            project = self.read_stack(self.stack(tenant))
            return not open_fleet_stack(project, self.environ).is_empty()
        except FlowflareError:
            return True


def open_session(
    root: Path,
    environ: Mapping[str, str],
    environment: str,
    selection: Selection,
    *,
    files: bool = True,
) -> FleetSession:
    """Read a fleet and select some of its tenants.

    Args:
        files: whether to check that the stacks' files are up to date with the fleet's files.

    Raises:
        ConfigError: the fleet's files have problems; the error lists all of them.
        FleetError: the environment or a tenant does not exist, or a stack's file is outdated.
    """
    project = read_project_file(root)
    fleet = read_fleet(project, environ)
    tenants = select(fleet, environment, selection)
    stacks = {stack_of(tenant.name, environment) for tenant in tenants}
    found = stack_files(fleet, environment) if files else ()
    found = tuple(file for file in found if file.stack in stacks)
    refuse_outdated(found)
    store = open_project_store(project, environ)
    return FleetSession(
        environ=environ,
        fleet=fleet,
        environment=fleet.environment(environment),
        tenants=tenants,
        store=store,
        records=TenantRecords(store, project.name, environment),
        files={file.stack: file.present for file in found if file.present},
    )
