"""Define one client Worker: its source, Workflows, own resources and bindings."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from flowflare.config.schema.bindings import Binding
from flowflare.config.schema.worker import WorkerConfig
from flowflare.kinds.queue_consumer.settings import QueueConsumerSettings
from flowflare.model.written import (
    BindingName,
    ClassName,
    Folder,
    Json,
    Physical,
    ScriptName,
    Source,
    VariableName,
    Word,
    Written,
    refusal,
)
from flowflare.model.written_secrets import Secret

_Name = Annotated[str, Field(min_length=1)]


class WorkflowConfig(Written):
    """One Workflow of a client."""

    class_name: ClassName = Field(
        alias="className",
        description="The Workflow class that the client's source exports.",
    )


class DurableObjectConfig(Written):
    """One Durable Object class of a client."""

    class_name: ClassName = Field(
        alias="className", description="The Durable Object class that the client's source exports."
    )


class RenamedClassConfig(Written):
    """A class that gets another name and keeps its objects."""

    old: ClassName = Field(alias="from", description="The present name of the class.")
    new: ClassName = Field(alias="to", description="The new name of the class.")


class TransferredClassConfig(Written):
    """A class whose objects come from another script."""

    old: ClassName = Field(alias="from", description="The class's name in the other script.")
    from_script: ScriptName = Field(
        alias="fromScript",
        description="The script that has the objects now: a client of the stack, or a script's "
        "name in the account.",
    )
    new: ClassName = Field(alias="to", description="The class's name in this script.")


class ClassMigrationConfig(Written):
    """One step of a client's class migrations."""

    @model_validator(mode="before")
    @classmethod
    def _no_key_value_classes(cls, value: Any) -> Any:
        if isinstance(value, dict) and "newClasses" in value:
            remedy = (
                "Write newSqliteClasses. Cloudflare refuses new key-value classes on free plans "
                "(10097) and on accounts that have none yet (10099), and a class cannot change its "
                "storage later."
            )
            raise refusal("creates classes with key-value storage, `newClasses`", remedy)
        return value

    tag: _Name = Field(description="The step's name, which no other step has.")
    new_sqlite_classes: list[ClassName] = Field(
        alias="newSqliteClasses", default_factory=list, description="New classes."
    )
    renamed_classes: list[RenamedClassConfig] = Field(
        alias="renamedClasses",
        default_factory=list,
        description="Classes that get another name and keep their objects.",
    )
    deleted_classes: list[ClassName] = Field(
        alias="deletedClasses",
        default_factory=list,
        description="Classes that are deleted with the data of their objects.",
    )
    transferred_classes: list[TransferredClassConfig] = Field(
        alias="transferredClasses",
        default_factory=list,
        description="Classes that are taken over from another script with their objects.",
    )


class DatabaseConfig(Written):
    """One D1 database of a client."""

    name: Physical | None = Field(
        default=None,
        description="The database's name in the account; by default "
        "`<tenant>-<environment>-flowflare-<client>-<binding>`.",
    )
    migrations: Folder | None = Field(
        default=None,
        description="The folder of its migrations, `0001_create_orders.sql` and so on, relative "
        "to the project's folder.",
    )
    location_hint: Literal["wnam", "enam", "weur", "eeur", "apac", "oc"] | None = Field(
        alias="locationHint",
        default=None,
        description="The location for a new database; changing it replaces the database.",
    )
    jurisdiction: Literal["eu", "fedramp", "fedramp-high"] | None = Field(
        default=None,
        description="The jurisdiction of its data; changing it replaces the database.",
    )


def _to_text(value: Any) -> Any:
    """Turn numbers and booleans into the text that a Worker gets."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        raise refusal("is empty", 'Write a value, `""` for an empty text.')
    return str(value) if isinstance(value, int | float) else value


class ClientConfig(WorkerConfig):
    """One client Worker."""

    source: Source = Field(
        description="Its entry file, JavaScript or TypeScript, relative to the project's folder."
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
        alias="queueConsumers",
        default_factory=list,
        description="Queues whose messages its `queue` handler receives.",
    )
    databases: dict[BindingName, DatabaseConfig] = Field(
        default_factory=dict, description="Its own D1 databases, by the name of the binding."
    )
    durable_objects: dict[BindingName, DurableObjectConfig] = Field(
        alias="durableObjects",
        default_factory=dict,
        description="Its own Durable Object classes, by the name of the binding.",
    )
    class_migrations: list[ClassMigrationConfig] = Field(
        alias="classMigrations",
        default_factory=list,
        description="The class migrations of its Durable Object classes, the oldest step first. "
        "Append new steps; an applied step must not change.",
    )
    rpc: bool = Field(
        default=False,
        description="Whether the service is also bound as WORKFLOW_SERVICE_RPC, whose methods need "
        "no key.",
    )
