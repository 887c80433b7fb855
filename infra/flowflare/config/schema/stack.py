"""Every key of the namespace `flowflare`: the stack, and its service, whose keys are flat."""

from typing import Annotated

from pydantic import AfterValidator, Field

from flowflare.config.engine import EngineName
from flowflare.config.schema.client import ClientConfig
from flowflare.config.schema.policies import PoliciesConfig
from flowflare.config.schema.worker import WorkerConfig
from flowflare.model.written import (
    AccountId,
    Environment,
    Physical,
    Word,
    Written,
    refusal,
)


class NamesConfig(Written):
    """Names in the account, taken as they are instead of the rule's."""

    service: Physical | None = Field(default=None, description="The service's script.")
    database: Physical | None = Field(default=None, description="The D1 database.")
    clients: dict[str, Physical] = Field(
        default_factory=dict, description="Scripts of clients, by the client's name."
    )
    workflows: dict[str, Physical] = Field(
        default_factory=dict, description="Workflows, by the Workflow's name."
    )


def _generations(value: list[int]) -> list[int]:
    if not value:
        raise refusal("is empty", "Without a key nobody can call the service: write [1].")
    for position, generation in enumerate(value):
        if generation in value[:position]:
            raise refusal(f"has {generation} twice", "Name each generation once, newest first.")
    return value


def _reason(value: str) -> str:
    if not value.strip():
        remedy = "Write why its data may be lost; reviewers read it."
        raise refusal("gives no reason", remedy)
    return value


class StackConfig(WorkerConfig):
    """Every key of the namespace `flowflare`."""

    account_id: AccountId = Field(
        alias="accountId", description="The Cloudflare account, 32 hexadecimal digits."
    )
    engine: EngineName = Field(
        default="pulumi",
        description="Who runs the stack: `embedded`, which only serves an API on this machine, "
        "or the Pulumi CLI.",
    )
    tenant: Word | None = Field(
        default=None, description="Whose stack it is; the first part of every name."
    )
    environment: Environment | None = Field(
        default=None,
        description="The environment, a part of every name; the stack's name when left out.",
    )
    clients: dict[Word, ClientConfig] = Field(
        default_factory=dict, description="The client Workers by name."
    )
    client_overrides: dict[str, dict[str, object]] = Field(
        alias="clientOverrides",
        default_factory=dict,
        description="Fields of single clients that a stack sets differently, by the client's "
        "name; each field replaces the client's whole field.",
    )
    allowed_origins: list[str] = Field(
        alias="allowedOrigins",
        default_factory=list,
        description="Origins that may call the service from a browser.",
    )
    debug: bool = Field(default=False, description="Whether the service logs what it does.")
    retention_days: Annotated[int, Field(ge=1, le=36_500)] | None = Field(
        alias="retentionDays",
        default=None,
        description="Days after which runs that ended are deleted; kept for ever when left out. "
        "It runs with the service's `crons`, every ten minutes when those are left out.",
    )
    stuck_after_minutes: Annotated[int, Field(ge=0, le=525_600)] | None = Field(
        alias="stuckAfterMinutes",
        default=None,
        description="Minutes without an event after which a run counts as stuck; 60 when left "
        "out, never with 0.",
    )
    api_keys: Annotated[list[Annotated[int, Field(ge=1)]], AfterValidator(_generations)] = Field(
        alias="apiKeys",
        default=[1],
        description="Generations of the API key that the service accepts, newest first. To rotate "
        "the key, add a generation, move `apiKeyInUse` to it, then remove the old one.",
    )
    api_key_in_use: Annotated[int, Field(ge=1)] = Field(
        alias="apiKeyInUse",
        default=1,
        description="The generation of the API key that the clients carry.",
    )
    names: NamesConfig = Field(
        default_factory=NamesConfig,
        description="Names in the account that differ from the rule "
        "`<tenant>-<environment>-flowflare-<what>`.",
    )
    suspended: bool = Field(
        default=False,
        description="Whether the stack is switched off: none of its Workers has a workers.dev URL, "
        "routes, custom domains or cron triggers, whatever else is written. Databases, Durable "
        "Objects and Workflows stay, and runs that are under way go on.",
    )
    tracker_tag: Annotated[str, Field(min_length=1, max_length=256)] | None = Field(
        alias="trackerTag",
        default=None,
        description="Tag of the class migration that made the service's `WorkflowTracker` before "
        "Flowflare took the service over; `flowflare adopt` writes it.",
    )
    protect: bool = Field(
        default=True,
        description="Whether the database and the Durable Object's script are protected from "
        "deletion and replacement.",
    )
    allow_data_loss: dict[str, Annotated[str, AfterValidator(_reason)]] = Field(
        alias="allowDataLoss",
        default_factory=dict,
        description="Resources whose protection is lifted, each with the reason, by the "
        "resource's name. A replacement, a deleted or a moved class may then happen in the same "
        "`up`; before a resource is removed one `up` must have lifted its protection.",
    )
    policies: PoliciesConfig = Field(
        default_factory=PoliciesConfig,
        description="The team's own checks of every change; see `flowflare docs policies`.",
    )
