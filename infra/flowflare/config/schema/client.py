"""Define one client Worker: its source, Workflows, own resources and bindings."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from flowflare.config.schema.bindings import Binding
from flowflare.config.schema.worker import WorkerConfig
from flowflare.kinds.d1_database.settings import DatabaseConfig
from flowflare.kinds.durable_object_migrations.settings import ClassMigrationConfig
from flowflare.kinds.queue_consumer.settings import QueueConsumerSettings
from flowflare.kinds.script_assets.settings import AssetsConfig
from flowflare.kinds.workflow.settings import WorkflowConfig
from flowflare.model.written import (
    BindingName,
    ClassName,
    Json,
    Source,
    VariableName,
    Word,
    Written,
    refusal,
)
from flowflare.model.written_secrets import Secret


class DurableObjectConfig(Written):
    """One Durable Object class of a client."""

    class_name: ClassName = Field(
        description="The Durable Object class that the client's source exports."
    )


def _to_text(value: Any) -> Any:
    """Convert numbers and booleans to the string that a Worker receives."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        raise refusal("is empty", 'Write a value, `""` for an empty text.')
    return str(value) if isinstance(value, int | float) else value


class ModuleRuleConfig(Written):
    """What the code gets when it imports a file that is not code."""

    type: Literal["Text", "Data", "CompiledWasm"] = Field(
        description="A string, an `ArrayBuffer`, or a `WebAssembly.Module`."
    )
    globs: Annotated[list[str], Field(min_length=1)] = Field(
        description="The imports as they are written in the code, for example `**/*.md`."
    )
    fallthrough: bool = Field(
        default=False,
        description="Whether later rules of this type apply too, such as wrangler's `**/*.txt`.",
    )


class ClientConfig(WorkerConfig):
    """One client Worker."""

    source: Source = Field(
        description="Its entry file, JavaScript or TypeScript, relative to the project's folder."
    )
    upload_source_maps: bool = Field(
        default=False,
        description="Whether a source map is uploaded, so that errors in the Worker's logs name "
        "lines of the source.",
    )
    rules: list[ModuleRuleConfig] = Field(
        default_factory=list,
        description="Rules for imports of files that are not code. They come before wrangler's "
        "rules for `.txt`, `.html`, `.sql`, `.bin` and `.wasm`.",
    )
    workflows: dict[Word, WorkflowConfig] = Field(
        default_factory=dict,
        description="Its Workflows by name. The name is the service's workflow type; the binding "
        "is the name in upper case with underscores.",
    )
    variables: dict[VariableName, Annotated[Json, BeforeValidator(_to_text)]] = Field(
        default_factory=dict,
        description="Variables of its `env`, by name. The Worker gets a text, a number or a "
        "boolean as text, and a list or a mapping as parsed JSON.",
    )
    secrets: dict[VariableName, Secret] = Field(
        default_factory=dict, description="Secrets of its `env`, by name, each with its source."
    )
    bindings: dict[BindingName, Binding] = Field(
        default_factory=dict,
        description="Bindings to existing resources, by name: `type` and the fields of that type, "
        "as Cloudflare's API spells them.",
    )
    queue_consumers: list[QueueConsumerSettings] = Field(
        default_factory=list, description="Queues whose messages its `queue` handler receives."
    )
    databases: dict[BindingName, DatabaseConfig] = Field(
        default_factory=dict, description="Its own D1 databases, by the name of the binding."
    )
    durable_objects: dict[BindingName, DurableObjectConfig] = Field(
        default_factory=dict,
        description="Its own Durable Object classes, by the name of the binding.",
    )
    class_migrations: list[ClassMigrationConfig] = Field(
        default_factory=list,
        description="The class migrations of its Durable Object classes, the oldest step first. "
        "Append new steps; an applied step must not change.",
    )
    assets: AssetsConfig | None = Field(
        default=None, description="Static assets that Cloudflare serves at its addresses."
    )
    rpc: bool = Field(
        default=False,
        description="Whether the service is also bound as WORKFLOW_SERVICE_RPC, whose methods need "
        "no key.",
    )
