"""Model what the service and every client have in common: addresses and runtime settings."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from flowflare.model.class_migrations import ClassMigration
from flowflare.model.frozen import Frozen

#: The start of a line in a Worker's code that names a package that could not be bundled for a
#: comparison.
NOT_COMPARED = "// not compared: "


class RouteSpec(Frozen):
    """A route of a zone."""

    pattern: str = Field(description="The URLs that it matches.")
    zone_id: str = Field(description="The zone.")


class DomainSpec(Frozen):
    """A custom domain."""

    hostname: str = Field(description="The host.")
    zone_id: str = Field(description="The zone.")


class WorkerSpec(Frozen):
    """A Worker of the stack, service or client."""

    script_name: str = Field(description="Name in the account.")
    workers_dev: bool = Field(description="Whether it has a workers.dev URL.")
    routes: tuple[RouteSpec, ...] = Field(default=(), description="Its routes, in order.")
    domains: tuple[DomainSpec, ...] = Field(default=(), description="Its custom domains.")
    compatibility_date: str = Field(description="The date that selects the runtime's behaviour.")
    compatibility_flags: tuple[str, ...] = Field(description="Compatibility flags, in order.")
    settings: Mapping[str, Any] = Field(
        description="Its script's other settings, as the API spells them "
        "(`kinds/workers_script/settings`)."
    )
    class_migrations: tuple[ClassMigration, ...] = Field(
        default=(), description="Its Durable Object class migrations, oldest first."
    )
    crons: tuple[str, ...] | None = Field(
        default=None,
        description="Cron triggers. None removes all triggers if this stack has set any; otherwise "
        "it keeps them.",
    )

    @property
    def tail_consumers(self) -> tuple[str, ...]:
        """Names of the Workers that receive its logs, which must exist before it."""
        return tuple(consumer["service"] for consumer in self.settings.get("tail_consumers", ()))
