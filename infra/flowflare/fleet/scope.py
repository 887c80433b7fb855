"""What a command over many tenants works on: the fleet as it is read, and what is known of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from flowflare.config.files import read_base
from flowflare.engine.state_folder import store_of
from flowflare.fleet.records import Records
from flowflare.fleet.tenants.files import refuse_outdated, stack_files
from flowflare.fleet.tenants.model import Environment, Fleet, Tenant, stack_of
from flowflare.fleet.tenants.passphrases import Passphrases
from flowflare.fleet.tenants.read import read_fleet
from flowflare.fleet.tenants.selection import Selection, select

if TYPE_CHECKING:
    from flowflare.storage.store import Store


@dataclass(frozen=True)
class Scope:
    """Some tenants of one environment.

    Attributes:
        root: the project's folder.
        project: the Pulumi project's name.
        fleet: all tenants.
        environment: the environment.
        tenants: those that are meant, whatever their status, by name.
        environ: the environment of this process.
        store: where state and records lie.
    """

    root: Path
    project: str
    fleet: Fleet
    environment: Environment
    tenants: tuple[Tenant, ...]
    environ: Mapping[str, str]
    store: "Store"

    @property
    def records(self) -> Records:
        """What is known of the environment's tenants."""
        return Records(self.store, self.project, self.environment.name)

    @cached_property
    def environ_of(self) -> Callable[[str], Mapping[str, str]]:
        """Makes a stack's environment: its passphrase is in it, and no other stack's."""
        return Passphrases(self.fleet, self.root, self.environ).environ_of

    def stack(self, tenant: Tenant) -> str:
        """The tenant's stack in this environment."""
        return stack_of(tenant.name, self.environment.name)

    def stacks(self, *, retired: bool = False) -> tuple[str, ...]:
        """The stacks that are meant: those that are to be there, or those that are to go."""
        return tuple(
            self.stack(one) for one in self.tenants if (one.status == "retired") is retired
        )


def open_scope(
    root: Path,
    environment: str,
    selection: Selection,
    environ: Mapping[str, str],
    *,
    files: bool = True,
) -> Scope:
    """Reads a fleet and chooses tenants of it.

    Args:
        root: the project's folder.
        environment: the environment's name.
        selection: which tenants.
        environ: the environment of this process.
        files: whether the stacks' files must be as the fleet says.

    Raises:
        FleetError: there is no such environment, tenant or tag, or files are not as they must be.
        ConfigError: what is wrong with the fleet, all of it.
        StateError: the state backend cannot be used.
    """
    fleet = read_fleet(root, environ)
    tenants = select(fleet, environment, selection)
    if files:
        refuse_outdated(stack_files(fleet, root, environment))
    return Scope(
        root=root,
        project=read_base(root).name,
        fleet=fleet,
        environment=fleet.environment(environment),
        tenants=tenants,
        environ=environ,
        store=store_of(root, environ),
    )
