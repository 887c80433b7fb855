"""One client Worker: its source, its Workflows, what it owns and what it is bound to."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from flowflare.config.schema.bindings import Binding
from flowflare.config.schema.secrets import Secret
from flowflare.config.schema.worker import ScriptName, WorkerConfig
from flowflare.model.written import (
    BindingName,
    ClassName,
    Folder,
    Json,
    Physical,
    Source,
    VariableName,
    Word,
    Written,
    refusal,
)

_Name = Annotated[str, Field(min_length=1)]


class WorkflowConfig(Written):
    """One Workflow of a client."""

    class_name: ClassName = Field(
        alias="className",
        description="The class that the client's source exports and Cloudflare runs.",
    )


class DurableObjectConfig(Written):
    """One Durable Object class of a client."""

    class_name: ClassName = Field(
        alias="className", description="The Durable Object class that the client's source exports."
    )


class RenamedClassConfig(Written):
    """A class whose objects go on under another name."""

    old: ClassName = Field(alias="from", description="The class's name until now.")
    new: ClassName = Field(alias="to", description="The class's name from now on.")


class TransferredClassConfig(Written):
    """A class whose objects come from another script."""

    old: ClassName = Field(alias="from", description="The class's name in the other script.")
    from_script: ScriptName = Field(
        alias="fromScript",
        description="The script that has the objects until now: a client of the stack, or a "
        "script's name in the account.",
    )
    new: ClassName = Field(alias="to", description="The class's name in this script.")


class ClassMigrationConfig(Written):
    """One step of a client's Durable Object history."""

    @model_validator(mode="before")
    @classmethod
    def _no_key_value_classes(cls, value: Any) -> Any:
        if isinstance(value, dict) and "newClasses" in value:
            remedy = (
                "Write newSqliteClasses. Cloudflare refuses new key-value classes on free plans "
                "(10097) and on accounts that have none yet (10099), and a class never changes "
                "its storage afterwards."
            )
            raise refusal("begins classes with key-value storage, `newClasses`", remedy)
        return value

    tag: _Name = Field(description="The step's name, unique in the history.")
    new_sqlite_classes: list[ClassName] = Field(
        alias="newSqliteClasses", default_factory=list, description="Classes that begin."
    )
    renamed_classes: list[RenamedClassConfig] = Field(
        alias="renamedClasses",
        default_factory=list,
        description="Classes that get another name and keep their objects.",
    )
    deleted_classes: list[ClassName] = Field(
        alias="deletedClasses",
        default_factory=list,
        description="Classes that end; the data of their objects is lost.",
    )
    transferred_classes: list[TransferredClassConfig] = Field(
        alias="transferredClasses",
        default_factory=list,
        description="Classes that come with their objects from another script.",
    )


class DatabaseConfig(Written):
    """One D1 database of a client's own."""

    name: Physical | None = Field(
        default=None,
        description="The database's name in the account; "
        "`<tenant>-<environment>-flowflare-<client>-<binding>` when left out.",
    )
    migrations: Folder | None = Field(
        default=None,
        description="The folder of its migrations, `0001_create_orders.sql` and so on, relative "
        "to the project's folder.",
    )
    location_hint: Literal["wnam", "enam", "weur", "eeur", "apac", "oc"] | None = Field(
        alias="locationHint",
        default=None,
        description="Where the database is made; another hint is another database.",
    )
    jurisdiction: Literal["eu", "fedramp", "fedramp-high"] | None = Field(
        default=None,
        description="The jurisdiction that its data stays in; another one is another database.",
    )


def _variable(value: Any) -> Any:
    """Numbers and booleans become the text a Worker sees."""
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
    variables: dict[VariableName, Annotated[Json, BeforeValidator(_variable)]] = Field(
        default_factory=dict,
        description="Variables of its `env`, by name: a text, a number and a boolean are text in "
        "the Worker, a list or a mapping is JSON, parsed already.",
    )
    secrets: dict[VariableName, Secret] = Field(
        default_factory=dict, description="Secrets of its `env`, by name, each with its source."
    )
    bindings: dict[BindingName, Binding] = Field(
        default_factory=dict,
        description="Bindings to things that exist, by name: `type` and the fields of that type, "
        "as Cloudflare's API spells them.",
    )
    databases: dict[BindingName, DatabaseConfig] = Field(
        default_factory=dict, description="D1 databases of its own, by the name of the binding."
    )
    durable_objects: dict[BindingName, DurableObjectConfig] = Field(
        alias="durableObjects",
        default_factory=dict,
        description="Durable Object classes of its own, by the name of the binding.",
    )
    class_migrations: list[ClassMigrationConfig] = Field(
        alias="classMigrations",
        default_factory=list,
        description="The history of its Durable Object classes, oldest step first. Append to it; "
        "a step that was applied never changes.",
    )
    rpc: bool = Field(
        default=False,
        description="Whether the service is bound as WORKFLOW_SERVICE_RPC too, whose methods need "
        "no key.",
    )
