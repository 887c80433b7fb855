"""What a fleet is: its environments and tenants, read, merged and checked; frozen data.

One tenant in one environment is one stack of the project (`stack_of`). `read.py` makes these of
`tenants.yaml`; nothing here touches disk or network.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from flowflare.model.frozen import Frozen

#: What a tenant is to be: served, switched off with its data kept, or taken away.
Status = Literal["active", "suspended", "retired"]
#: How many tenants a wave has: a number of them, or a share of all such as `10%`.
Wave = int | str


def stack_of(tenant: str, environment: str) -> str:
    """The stack of a tenant in an environment: `acme-prod`.

    An environment has no hyphen, so two tenants cannot meet in one stack.
    """
    return f"{tenant}-{environment}"


class PassphraseSource(Frozen):
    """Where the passphrase of a stack's secrets comes from; exactly one is given.

    The words `{tenant}` and `{environment}` in it are filled in for each stack; `{TENANT}` and
    `{ENVIRONMENT}` are the same in upper case with `_` for `-`, as variables are called. The
    passphrase itself is never kept here and never printed.
    """

    env: str | None = Field(default=None, description="The name of an environment variable.")
    file: str | None = Field(
        default=None, description="A file; a path that is not absolute begins at the project."
    )
    command: tuple[str, ...] = Field(
        default=(), description="A command that prints it, run in the project's folder."
    )

    def filled(self, tenant: str, environment: str) -> "PassphraseSource":
        """The source of one stack, with the words filled in."""
        words = {
            "{tenant}": tenant,
            "{environment}": environment,
            "{TENANT}": tenant.upper().replace("-", "_"),
            "{ENVIRONMENT}": environment.upper(),
        }

        def fill(text: str) -> str:
            for word, value in words.items():
                text = text.replace(word, value)
            return text

        return PassphraseSource(
            env=None if self.env is None else fill(self.env),
            file=None if self.file is None else fill(self.file),
            command=tuple(map(fill, self.command)),
        )


class Health(Frozen):
    """How a rollout tells that an upgraded tenant is well."""

    workflow: str | None = Field(
        default=None, description="The Workflow that a synthetic run is made of; None for no run."
    )
    params: Mapping[str, Any] = Field(default_factory=dict, description="Its parameters.")
    within_seconds: float = Field(default=60, description="Seconds that the run may take.")
    max_error_rate: float = Field(
        default=0.05, description="The share of a tenant's runs that may fail, from 0 to 1."
    )


class Environment(Frozen):
    """One environment of the fleet."""

    name: str = Field(description="Its name, without a hyphen.")
    waves: tuple[Wave, ...] = Field(
        default=(1, "10%", "100%"), description="How many tenants are upgraded up to each halt."
    )
    health: Health = Field(default_factory=Health, description="What is checked between waves.")
    passphrase: PassphraseSource | None = Field(
        default=None, description="Where its tenants' passphrases come from."
    )


class Tenant(Frozen):
    """One tenant with everything that its stacks are configured with."""

    name: str = Field(description="Its name, the first part of every name in the account.")
    status: Status = Field(default="active", description="What it is to be.")
    tags: tuple[str, ...] = Field(default=(), description="Its tags, sorted.")
    environments: tuple[str, ...] = Field(description="The environments that it is in, sorted.")
    config: Mapping[str, Mapping[str, Any]] = Field(
        description="By environment, what its stack's file holds: full key (`flowflare:debug`) to "
        "JSON value, `flowflare:tenant` and `flowflare:environment` among them."
    )
    passphrase: PassphraseSource | None = Field(
        default=None, description="Where its passphrases come from, before its environment's."
    )


class Limits(Frozen):
    """What one Cloudflare account, or one zone in it, may have; the figures of the paid plan.

    They are those of Cloudflare's pages on the limits of Workers and of D1, 2026. Of Workflows an
    account may have what it has scripts for.
    """

    workers: int = Field(default=500, description="Workers of an account.")
    databases: int = Field(default=50_000, description="D1 databases of an account.")
    cron_triggers: int = Field(default=250, description="Cron triggers of an account.")
    routes: int = Field(default=1_000, description="Routes of a zone.")
    domains: int = Field(default=100, description="Custom domains of a zone.")


class Fleet(Frozen):
    """Every tenant of a project."""

    file: str = Field(description="The file that it was read from, as people are shown it.")
    environments: tuple[Environment, ...] = Field(description="Its environments, by name.")
    tenants: tuple[Tenant, ...] = Field(description="Its tenants, by name.")
    limits: Limits = Field(default_factory=Limits, description="What its accounts may have.")
    places: Mapping[str, tuple[str, int]] = Field(
        default_factory=dict,
        repr=False,
        description="File and line of each tenant by its name, for problems.",
    )

    def environment(self, name: str) -> Environment:
        """The environment of that name.

        Raises:
            KeyError: there is none.
        """
        for one in self.environments:
            if one.name == name:
                return one
        raise KeyError(name)

    def tenants_in(self, environment: str) -> tuple[Tenant, ...]:
        """The tenants that are in an environment, whatever their status."""
        return tuple(one for one in self.tenants if environment in one.environments)

    def stacks(self) -> tuple[str, ...]:
        """The names of all its stacks, sorted by tenant, then environment."""
        return tuple(
            stack_of(tenant.name, environment)
            for tenant in self.tenants
            for environment in tenant.environments
        )

    def passphrase_source(self, tenant: Tenant, environment: str) -> PassphraseSource | None:
        """Where a stack's passphrase comes from, its words filled in; None as for any stack."""
        source = tenant.passphrase or self.environment(environment).passphrase
        return source and source.filled(tenant.name, environment)
