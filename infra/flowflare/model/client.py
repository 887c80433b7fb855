"""Model a client Worker: its Workflows, its own resources and its bindings."""

from collections.abc import Mapping

from pydantic import Field, JsonValue

from flowflare.model.code_module import ModuleRule
from flowflare.model.frozen import Frozen
from flowflare.model.names import hyphenate
from flowflare.model.secret_sources import SecretSource
from flowflare.model.worker import WorkerSpec


class WorkflowSpec(Frozen):
    """One Workflow of a client."""

    name: str = Field(description="Name in the configuration; the service's workflow type.")
    workflow_name: str = Field(description="Name in the account.")
    class_name: str = Field(description="Class that the client's script exports.")
    binding: str = Field(description="Binding name in the client and in the service.")


class DurableObjectSpec(Frozen):
    """One Durable Object class of a client."""

    binding: str = Field(description="Binding name.")
    class_name: str = Field(description="Class that the client's script exports.")


class DatabaseSpec(Frozen):
    """One D1 database of a client."""

    binding: str = Field(description="Binding name.")
    database_name: str = Field(description="Name in the account.")
    migrations: str | None = Field(
        default=None, description="Folder of its migrations in the project; None if it has none."
    )
    migrations_pattern: str | None = Field(
        default=None, description="Which files of the project are migrations; None for all SQL."
    )
    migrations_table: str | None = Field(
        default=None, description="Table of the applied migrations; None for wrangler's default."
    )
    location_hint: str | None = Field(default=None, description="Where it is created.")
    jurisdiction: str | None = Field(default=None, description="Where its data must stay.")

    @property
    def pattern(self) -> str | None:
        """The pattern relative to the folder; None for all SQL files."""
        if self.migrations is None or self.migrations_pattern is None:
            return None
        return self.migrations_pattern.removeprefix(f"{self.migrations.rstrip('/')}/")


class AssetsSpec(Frozen):
    """Files that Cloudflare serves for a client."""

    directory: str = Field(description="Folder of the files, relative to the project's folder.")
    binding: str | None = Field(default=None, description="Name of the binding to the files.")
    config: Mapping[str, JsonValue] = Field(
        description="How the files are served, as the API spells it."
    )


class BoundSpec(Frozen):
    """A binding to a resource outside of the stack."""

    name: str = Field(description="Binding name.")
    type: str = Field(description="The type as the API names it; it may be unknown here.")
    fields: Mapping[str, JsonValue] = Field(
        default_factory=dict, description="The type's fields as the API spells them."
    )
    secrets: Mapping[str, SecretSource] = Field(
        default_factory=dict, description="Fields whose value is a secret, with its source."
    )


class OwnSpec(Frozen):
    """A resource that a client's binding makes for that client alone."""

    binding: str = Field(description="Binding name.")
    type: str = Field(description="The resource's type, as in states.")
    name: str = Field(description="Name in the account.")
    settings: Mapping[str, JsonValue] = Field(
        default_factory=dict, description="Further settings from the configuration."
    )
    secrets: Mapping[str, SecretSource] = Field(
        default_factory=dict, description="Settings that are secret, with their sources, by path."
    )
    bound_as: str = Field(description="The binding's type as the API names it.")

    @property
    def part(self) -> str:
        """The resource's name in the program, after the client's: `cache-kv-namespace`."""
        return f"{hyphenate(self.binding)}-{hyphenate(self.bound_as)}"


class QueueConsumerSpec(Frozen):
    """A queue whose messages a client receives."""

    queue: str = Field(
        default="", description="The binding that makes the queue, as `<client>.<binding>`."
    )
    queue_name: str = Field(default="", description="The name of that queue in the account.")
    queue_id: str | None = Field(
        default=None, description="The ID of a queue outside of the stack, instead of a binding."
    )
    dead_letter_binding: str = Field(
        default="", description="The binding that makes the dead-letter queue, if one does."
    )
    dead_letter_queue: str | None = Field(
        default=None, description="The name of the dead-letter queue in the account."
    )
    settings: Mapping[str, int] = Field(description="Batches and retries, as in the configuration.")

    @property
    def part(self) -> str:
        """The resource's name in the program: `orders-jobs-queue-consumer`."""
        return f"{hyphenate(self.queue) or self.queue_id}-queue-consumer"

    def list_references(self) -> tuple[str, ...]:
        """List the bindings whose queues must exist before the consumer."""
        return tuple(queue for queue in (self.queue, self.dead_letter_binding) if queue)


class ClientSpec(WorkerSpec):
    """A Worker that starts tracked Workflows."""

    name: str = Field(description="Name in the configuration.")
    source: str = Field(description="Entry file, relative to the project's folder.")
    upload_source_maps: bool = Field(
        default=False, description="Whether its source map is uploaded."
    )
    rules: tuple[ModuleRule, ...] = Field(
        default=(), description="Which imported files are not code, before wrangler's rules."
    )
    workflows: tuple[WorkflowSpec, ...] = Field(description="Its Workflows, sorted by name.")
    variables: Mapping[str, JsonValue] = Field(
        description="Variables by name: a text is plain text, anything else is JSON."
    )
    secrets: Mapping[str, SecretSource] = Field(
        default_factory=dict, description="Secrets by name, with the source of each."
    )
    bindings: tuple[BoundSpec, ...] = Field(
        default=(), description="Bindings to existing resources, sorted by name."
    )
    own: tuple[OwnSpec, ...] = Field(
        default=(), description="Resources that its bindings make, sorted by binding."
    )
    queue_consumers: tuple[QueueConsumerSpec, ...] = Field(
        default=(), description="Queues that it consumes, in order."
    )
    databases: tuple[DatabaseSpec, ...] = Field(
        default=(), description="Its own D1 databases, sorted by binding."
    )
    durable_objects: tuple[DurableObjectSpec, ...] = Field(
        default=(), description="Its own Durable Object classes, sorted by binding."
    )
    assets: AssetsSpec | None = Field(default=None, description="Its static assets.")
    rpc: bool = Field(default=False, description="Whether it is bound to the service's methods.")
