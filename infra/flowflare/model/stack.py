"""Model the desired state of one stack: the service and its clients.

Physical names are already resolved (`model/names.py`). Values that only Cloudflare knows, such as a
database's ID, are not included.
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
    allowed_origins: tuple[str, ...] = Field(description="Origins that CORS allows.")
    debug: bool = Field(description="Whether the service logs what it does.")
    retention_days: int | None = Field(
        default=None, description="Days that ended runs are kept; None keeps them forever."
    )
    stuck_after_minutes: int | None = Field(
        default=None, description="Minutes of silence before a run is stuck; None for the default."
    )
    class_migrations: tuple[ClassMigration, ...] = Field(
        default=SERVICE_HISTORY, description="The class migrations of its script."
    )
    api_keys: tuple[int, ...] = Field(
        default=(1,), description="Generations of the API key that it accepts, newest first."
    )
    api_key_in_use: int = Field(default=1, description="The generation that the clients use.")

    @property
    def other_keys(self) -> tuple[int, ...]:
        """Generations of the API key that it accepts besides the one in use."""
        return tuple(number for number in self.api_keys if number != self.api_key_in_use)


class StackSpec(Frozen):
    """Everything one stack of one project declares."""

    project: str = Field(description="The Pulumi project's name.")
    stack: str = Field(description="The Pulumi stack's name.")
    tenant: str | None = Field(description="The stack's tenant; None without tenants.")
    environment_name: str = Field(description="The environment's name, without a hyphen.")
    account_id: str = Field(description="The Cloudflare account.")
    service: ServiceSpec
    clients: tuple[ClientSpec, ...] = Field(description="Its clients, sorted by name.")
    suspended: bool = Field(
        default=False, description="Whether its Workers have no address; see `config/resolve`."
    )
    protect: bool = Field(description="Whether resources with data are protected from deletion.")
    allow_data_loss: Mapping[str, str] = Field(
        description="Resource names for which protection is lifted, each with the reason."
    )

    def is_protected(self, resource: str) -> bool:
        """Return whether the resource of that name must not be deleted or replaced."""
        return self.protect and resource not in self.allow_data_loss

    def class_histories(self) -> dict[str, tuple[ClassMigration, ...]]:
        """Return the class migrations of each script by its name in the account, service first."""
        clients = {client.script_name: client.class_migrations for client in self.clients}
        return {self.service.script_name: self.service.class_migrations, **clients}

    def reason_for_loss(self, resource: str) -> str | None:
        """Return why the resource of that name may lose data; None if it may not."""
        reason = self.allow_data_loss.get(resource)
        return reason if reason or self.protect else "flowflare:protect is false"
