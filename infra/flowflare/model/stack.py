"""The desired state of one stack: the service, its clients and their Workflows.

Physical names are resolved here already (`model/names.py` makes them); values that only Cloudflare
knows, such as a database's id, are not in it.
"""

from collections.abc import Mapping

from pydantic import Field

from flowflare.model.class_migrations import SERVICE_HISTORY, ClassMigration
from flowflare.model.frozen import Frozen


class WorkflowSpec(Frozen):
    """One Workflow of a client."""

    name: str = Field(description="Name in the configuration; the service's workflow type.")
    workflow_name: str = Field(description="Name in the account.")
    class_name: str = Field(description="Class that the client's script exports.")
    binding: str = Field(description="Binding name in the client and in the service.")


class ClientSpec(Frozen):
    """A Worker that starts tracked Workflows."""

    name: str = Field(description="Name in the configuration.")
    script_name: str = Field(description="Name in the account.")
    source: str = Field(description="Entry file, relative to the project's folder.")
    workflows: tuple[WorkflowSpec, ...] = Field(description="Its Workflows, sorted by name.")
    variables: Mapping[str, str] = Field(description="Plain-text variables by name.")
    workers_dev: bool = Field(description="Whether it has a workers.dev URL.")
    compatibility_date: str = Field(description="Date whose runtime behaviour it gets.")
    compatibility_flags: tuple[str, ...] = Field(description="Runtime flags, in order.")
    observability: bool = Field(description="Whether its logs are kept.")
    crons: tuple[str, ...] | None = Field(description="Cron triggers; None leaves them alone.")


class ServiceSpec(Frozen):
    """The Worker that tracks Workflows, with its database and its Durable Object."""

    script_name: str = Field(description="Name in the account.")
    database_name: str = Field(description="Name of the D1 database in the account.")
    allowed_origins: tuple[str, ...] = Field(description="Origins that CORS lets in.")
    debug: bool = Field(description="Whether the service logs what it does.")
    workers_dev: bool = Field(description="Whether it has a workers.dev URL.")
    compatibility_date: str = Field(description="Date whose runtime behaviour it gets.")
    compatibility_flags: tuple[str, ...] = Field(description="Runtime flags, in order.")
    observability: bool = Field(description="Whether its logs are kept.")
    retention_days: int | None = Field(
        default=None, description="Days that ended runs are kept; None keeps them for ever."
    )
    stuck_after_minutes: int | None = Field(
        default=None, description="Minutes of silence that make a run stuck; None as the runtime."
    )
    crons: tuple[str, ...] | None = Field(
        default=None, description="Cron triggers; None leaves them alone."
    )
    class_migrations: tuple[ClassMigration, ...] = Field(
        default=SERVICE_HISTORY, description="The Durable Object history of its script."
    )


class StackSpec(Frozen):
    """Everything one stack of one project declares."""

    project: str = Field(description="The Pulumi project's name.")
    stack: str = Field(description="The Pulumi stack's name.")
    tenant: str | None = Field(description="Whose stack it is, None where there is one tenant.")
    environment_name: str = Field(description="Which environment it is; has no hyphen.")
    account_id: str = Field(description="The Cloudflare account.")
    service: ServiceSpec
    clients: tuple[ClientSpec, ...] = Field(description="Its clients, sorted by name.")
    protect: bool = Field(description="Whether what holds data is protected from deletion.")
    allow_data_loss: Mapping[str, str] = Field(
        description="Resource names for which protection is lifted, each with the reason."
    )

    def is_protected(self, resource: str) -> bool:
        """Whether the resource of that name must not be deleted or replaced."""
        return self.protect and resource not in self.allow_data_loss
