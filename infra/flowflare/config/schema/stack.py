"""Define every key of the namespace `flowflare`, for the stack and its service."""

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
    """Names in the account that replace the generated names."""

    service: Physical | None = Field(default=None, description="The service's script.")
    database: Physical | None = Field(default=None, description="The D1 database.")
    clients: dict[str, Physical] = Field(
        default_factory=dict, description="Scripts of clients, by the client's name."
    )
    workflows: dict[str, Physical] = Field(
        default_factory=dict, description="Workflows, by the Workflow's name."
    )


def _check_generations(value: list[int]) -> list[int]:
    if not value:
        raise refusal("is empty", "Without a key, no client can call the service: write [1].")
    for position, generation in enumerate(value):
        if generation in value[:position]:
            raise refusal(f"has {generation} twice", "Name each generation once, newest first.")
    return value


def _check_reason(value: str) -> str:
    if not value.strip():
        remedy = "Write why its data may be lost; reviewers read it."
        raise refusal("gives no reason", remedy)
    return value


class StackConfig(WorkerConfig):
    """Every key of the namespace `flowflare`."""

    account_id: AccountId = Field(description="The Cloudflare account, 32 hexadecimal digits.")
    engine: EngineName = Field(
        default="pulumi",
        description="The engine of the stack: `embedded`, which only calls an API on this machine, "
        "or the Pulumi CLI.",
    )
    tenant: Word | None = Field(
        default=None, description="The stack's tenant; the first part of every resource name."
    )
    environment: Environment | None = Field(
        default=None,
        description="The environment, a part of every resource name; by default the stack's name.",
    )
    clients: dict[Word, ClientConfig] = Field(
        default_factory=dict, description="The client Workers by name."
    )
    client_overrides: dict[str, dict[str, object]] = Field(
        default_factory=dict,
        description="Fields of single clients that differ in a stack, by the client's name; each "
        "replaces the whole value of the client's field.",
    )
    allowed_origins: list[str] = Field(
        default_factory=list, description="Origins that may call the service from a browser."
    )
    debug: bool = Field(default=False, description="Whether the service writes debug logs.")
    retention_days: Annotated[int, Field(ge=1, le=36_500)] | None = Field(
        default=None,
        description="Days after which runs that have ended are deleted; by default they are kept. "
        "The deletion runs with the service's `crons`, by default every ten minutes.",
    )
    stuck_after_minutes: Annotated[int, Field(ge=0, le=525_600)] | None = Field(
        default=None,
        description="Minutes without an event after which a run counts as stuck; by default 60. "
        "With 0, no run counts as stuck.",
    )
    api_keys: Annotated[list[Annotated[int, Field(ge=1)]], AfterValidator(_check_generations)] = (
        Field(
            default=[1],
            description="Generations of the API key that the service accepts, newest first. To "
            "rotate the key, add a generation, move `apiKeyInUse` to it, then remove the old one.",
        )
    )
    api_key_in_use: Annotated[int, Field(ge=1)] = Field(
        default=1, description="The generation of the API key that the clients send."
    )
    names: NamesConfig = Field(
        default_factory=NamesConfig,
        description="Names in the account that replace the generated names "
        "`<tenant>-<environment>-flowflare-<what>`.",
    )
    suspended: bool = Field(
        default=False,
        description="Whether the stack is switched off: its Workers have no workers.dev URL, "
        "routes, custom domains or cron triggers, in spite of their settings. Databases, Durable "
        "Objects and Workflows are kept, and runs in progress continue.",
    )
    tracker_tag: Annotated[str, Field(min_length=1, max_length=256)] | None = Field(
        default=None,
        description="The tag of the class migration that created the service's `WorkflowTracker` "
        "before Flowflare managed the service; `flowflare adopt` writes it.",
    )
    protect: bool = Field(
        default=True,
        description="Whether the database and the Durable Object's script are protected from "
        "deletion and replacement.",
    )
    allow_data_loss: dict[str, Annotated[str, AfterValidator(_check_reason)]] = Field(
        default_factory=dict,
        description="The reasons for removing the protection of resources, by resource name. The "
        "same `up` may then replace the resource, or delete or move a class. To remove a resource, "
        "first run an `up` that removes its protection.",
    )
    policies: PoliciesConfig = Field(
        default_factory=PoliciesConfig,
        description="The team's own checks of every change; see `flowflare docs policies`.",
    )
