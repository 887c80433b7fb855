"""Model a fleet: its environments and tenants, merged and checked, as frozen data.

One tenant in one environment is one stack of the project (`stack_of`). `read.py` makes these models

from `tenants.yaml`. Nothing here uses the disk or the network.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, model_validator

from flowflare.config.files import ProjectFile
from flowflare.model.frozen import Frozen
from flowflare.model.written import Written, refusal

#: The wanted status of a tenant: deployed, switched off with its data kept, or removed.
Status = Literal["active", "suspended", "retired"]
#: How many tenants are done after a wave: a count such as `5`, or a share of all such as `"10%"`.
WaveSize = int | str


def stack_of(tenant: str, environment: str) -> str:
    """Return the name of a tenant's stack in an environment: `acme-prod`.

    The name of an environment has no hyphen, so two tenants cannot have the same stack.
    """
    return f"{tenant}-{environment}"


class PassphraseSource(Written):
    """The source of a stack's passphrase; `{tenant}` and `{environment}` are replaced."""

    env: str | None = Field(
        default=None,
        min_length=1,
        description="The environment variable with the passphrase, for example "
        "`PASSPHRASE_{TENANT}`, in upper case with `_` for `-`.",
    )
    file: str | None = Field(
        default=None,
        min_length=1,
        description="The file with the passphrase; a line break at its end is removed.",
    )
    command: list[str] | None = Field(
        default=None,
        min_length=1,
        description="The command that prints the passphrase, as a list of words.",
    )

    @model_validator(mode="after")
    def _require_one_key(self) -> "PassphraseSource":
        given = [name for name, value in self if value is not None]
        if len(given) != 1:
            remedy = "Write exactly one of env, file and command."
            raise refusal(f"has {' and '.join(given) or 'none'} of its keys", remedy)
        return self

    def for_stack(self, tenant: str, environment: str) -> "PassphraseSource":
        """Return the source for one stack, with its placeholders replaced."""
        words = {
            "{tenant}": tenant,
            "{environment}": environment,
            "{TENANT}": tenant.upper().replace("-", "_"),
            "{ENVIRONMENT}": environment.upper(),
        }

        def replace(text: str) -> str:
            for word, value in words.items():
                text = text.replace(word, value)
            return text

        return PassphraseSource(
            env=None if self.env is None else replace(self.env),
            file=None if self.file is None else replace(self.file),
            command=None if self.command is None else list(map(replace, self.command)),
        )


class Health(Written):
    """The health check of a deployed tenant before the next wave."""

    workflow: str | None = Field(
        default=None,
        description="The Workflow of which a synthetic run is started; by default none is.",
    )
    params: dict[str, JsonValue] = Field(
        default_factory=dict, description="The parameters of the run."
    )
    within_seconds: Annotated[float, Field(gt=0, le=3600, strict=False)] = Field(
        default=60, description="Seconds within which the run must complete."
    )
    max_error_rate: Annotated[float, Field(ge=0, le=1, strict=False)] = Field(
        default=0.05,
        description="The share of a tenant's newest runs that may have failed, from 0 to 1.",
    )


class Environment(Frozen):
    """One environment of the fleet."""

    name: str = Field(description="Its name, without a hyphen.")
    waves: tuple[WaveSize, ...] = Field(
        default=(1, "10%", "100%"),
        description="How many tenants have been deployed by the end of each wave.",
    )
    health: Health = Field(default_factory=Health, description="The health check of its tenants.")
    passphrase: PassphraseSource | None = Field(
        default=None, description="The source of its tenants' passphrases."
    )


class Tenant(Frozen):
    """One tenant with the configuration of its stacks."""

    name: str = Field(description="Its name, the first part of every resource name.")
    status: Status = Field(default="active", description="Its wanted status.")
    tags: tuple[str, ...] = Field(default=(), description="Its tags, sorted.")
    environments: tuple[str, ...] = Field(description="The environments that it is in, sorted.")
    config: Mapping[str, Mapping[str, Any]] = Field(
        description="The configuration in its stack's file by environment: full key "
        "(`flowflare:debug`) to JSON value, including `flowflare:tenant` and "
        "`flowflare:environment`."
    )
    passphrase: PassphraseSource | None = Field(
        default=None,
        description="The source of its passphrases, which overrides its environment's.",
    )


_Count = Annotated[int, Field(ge=1)]


class Limits(Written):
    """The limits of a Cloudflare account or zone; Cloudflare raises them on request."""

    # The figures are from Cloudflare's documentation of the limits of Workers and D1 on the paid
    # plan in 2026. The number of Workflows is only limited by the number of scripts.
    workers: _Count = Field(default=500, description="Workers of an account.")
    databases: _Count = Field(default=50_000, description="D1 databases of an account.")
    cron_triggers: _Count = Field(default=250, description="Cron triggers of an account.")
    routes: _Count = Field(default=1_000, description="Routes of a zone.")
    domains: _Count = Field(default=100, description="Custom domains of a zone.")


class Fleet(Frozen):
    """Every tenant of a project."""

    file: str = Field(description="The file that it was read from, for messages.")
    project: ProjectFile = Field(repr=False, description="The project of its stacks.")
    environments: tuple[Environment, ...] = Field(description="Its environments, by name.")
    tenants: tuple[Tenant, ...] = Field(description="Its tenants, by name.")
    limits: Limits = Field(default_factory=Limits, description="The limits of its accounts.")
    places: Mapping[str, tuple[str, int]] = Field(
        default_factory=dict,
        repr=False,
        description="File and line of each tenant by its name, for problems.",
    )

    def environment(self, name: str) -> Environment:
        """Return the environment with a name.

        Raises:
            KeyError: it does not exist.
        """
        for environment in self.environments:
            if environment.name == name:
                return environment
        raise KeyError(name)

    def tenants_in(self, environment: str) -> tuple[Tenant, ...]:
        """Return the tenants of an environment, with any status."""
        return tuple(tenant for tenant in self.tenants if environment in tenant.environments)

    def stacks(self) -> tuple[str, ...]:
        """Return the names of all stacks, sorted by tenant, then environment."""
        return tuple(
            stack_of(tenant.name, environment)
            for tenant in self.tenants
            for environment in tenant.environments
        )

    def passphrase_source(self, tenant: Tenant, environment: str) -> PassphraseSource | None:
        """Return the source of a stack's passphrase; None if the fleet does not set one."""
        source = tenant.passphrase or self.environment(environment).passphrase
        return source and source.for_stack(tenant.name, environment)
