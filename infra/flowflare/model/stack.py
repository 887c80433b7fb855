"""The desired state of one stack: the service and its clients.

Physical names are resolved here already (`model/names.py` makes them); values that only Cloudflare
knows, such as a database's id, are not in it.
"""

from collections.abc import Mapping

from pydantic import Field

from flowflare.model.class_migrations import SERVICE_HISTORY, ClassMigration
from flowflare.model.client import ClientSpec
from flowflare.model.frozen import Frozen
from flowflare.model.worker import WorkerSpec


class ServiceSpec(WorkerSpec):
    """The Worker that tracks Workflows, with its database and its Durable Object."""

    database_name: str = Field(description="Name of the D1 database in the account.")
    allowed_origins: tuple[str, ...] = Field(description="Origins that CORS lets in.")
    debug: bool = Field(description="Whether the service logs what it does.")
    retention_days: int | None = Field(
        default=None, description="Days that ended runs are kept; None keeps them for ever."
    )
    stuck_after_minutes: int | None = Field(
        default=None, description="Minutes of silence that make a run stuck; None as the runtime."
    )
    class_migrations: tuple[ClassMigration, ...] = Field(
        default=SERVICE_HISTORY, description="The Durable Object history of its script."
    )
    api_keys: tuple[int, ...] = Field(
        default=(1,), description="Generations of the API key that it accepts, newest first."
    )
    api_key_in_use: int = Field(default=1, description="The generation that the clients carry.")

    @property
    def other_keys(self) -> tuple[int, ...]:
        """Generations of the API key that it accepts beside the one in use."""
        return tuple(one for one in self.api_keys if one != self.api_key_in_use)


class StackSpec(Frozen):
    """Everything one stack of one project declares."""

    project: str = Field(description="The Pulumi project's name.")
    stack: str = Field(description="The Pulumi stack's name.")
    tenant: str | None = Field(description="Whose stack it is, None where there is one tenant.")
    environment_name: str = Field(description="Which environment it is; has no hyphen.")
    account_id: str = Field(description="The Cloudflare account.")
    service: ServiceSpec
    clients: tuple[ClientSpec, ...] = Field(description="Its clients, sorted by name.")
    suspended: bool = Field(
        default=False, description="Whether its Workers are reached nowhere; see `config/resolve`."
    )
    protect: bool = Field(description="Whether what holds data is protected from deletion.")
    allow_data_loss: Mapping[str, str] = Field(
        description="Resource names for which protection is lifted, each with the reason."
    )

    def is_protected(self, resource: str) -> bool:
        """Whether the resource of that name must not be deleted or replaced."""
        return self.protect and resource not in self.allow_data_loss

    def class_histories(self) -> dict[str, tuple[ClassMigration, ...]]:
        """The Durable Object history of each script by its name in the account, service first."""
        clients = {client.script_name: client.class_migrations for client in self.clients}
        return {self.service.script_name: self.service.class_migrations, **clients}

    def reason_for_loss(self, resource: str) -> str | None:
        """Why the resource of that name may lose data; None where it may not."""
        reason = self.allow_data_loss.get(resource)
        return reason if reason or self.protect else "flowflare:protect is false"
