"""Define the events of a rollout, which `--json` prints as one JSON line each.

The field `event` names the kind of event, `at` is its time, and the other fields are those of its
model. Models may gain fields. They never lose one.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Literal, TypeAlias, get_args

from pydantic import Field

from flowflare.model.frozen import Frozen

Outcome = Literal["applied", "suspended", "failed", "unhealthy", "destroyed", "retired"]


def format_time(moment: datetime) -> str:
    """Format a time: RFC 3339 in UTC, with milliseconds."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _Event(Frozen):
    at: str = Field(
        default_factory=lambda: format_time(datetime.now(UTC)), description="The time, RFC 3339."
    )


class _OfTenant(_Event):
    tenant: str = Field(description="The tenant.")
    stack: str = Field(description="Its stack.")


class RolloutBegan(_Event):
    """A rollout begins or resumes."""

    event: Literal["rollout-began"] = "rollout-began"
    rollout: str = Field(description="The rollout's ID; a resumed rollout keeps its ID.")
    environment: str = Field(description="The environment.")
    resumed: bool = Field(description="Whether an interrupted rollout resumes.")
    unchanged: int = Field(description="The number of unchanged tenants, which cost no API call.")
    through: int = Field(
        description="The number of tenants that it deployed before it was interrupted."
    )
    waves: tuple[tuple[str, ...], ...] = Field(description="The tenants of each remaining wave.")


class WaveBegan(_Event):
    """A wave begins."""

    event: Literal["wave-began"] = "wave-began"
    wave: int = Field(description="The wave's number, from 1.")
    of: int = Field(description="The number of waves.")
    tenants: tuple[str, ...] = Field(description="The tenants in the wave.")


class TenantBegan(_OfTenant):
    """A run on a tenant's stack begins; its record already says `running`."""

    event: Literal["tenant-began"] = "tenant-began"
    doing: Literal["up", "export", "destroy"] = Field(description="The operation on its stack.")
    wave: int | None = Field(default=None, description="Its wave, if it is in one.")


class TenantStep(_OfTenant):
    """A resource of a tenant changes, or its run prints a note; not for unchanged resources."""

    event: Literal["step"] = "step"
    kind: Literal["started", "done", "failed", "skipped", "note"] = Field(
        description="As in the events of one stack's `up`."
    )
    op: str | None = Field(default=None, description="create, update, replace or delete.")
    resource: str | None = Field(default=None, description="The resource's name.")
    type: str | None = Field(default=None, description="Its type.")
    message: str = Field(default="", description="A note's text, or why the step failed.")
    seconds: float = Field(default=0, description="How long the step took.")


class TenantDone(_OfTenant):
    """A run on a tenant succeeded."""

    event: Literal["tenant-done"] = "tenant-done"
    outcome: Outcome = Field(description="The recorded outcome.")
    changed: int = Field(default=0, description="The number of changed resources.")
    seconds: float = Field(description="How long the run took, without the health check.")
    api_calls: int = Field(default=0, description="The number of requests to Cloudflare's API.")


class TenantFailed(_OfTenant):
    """A run on a tenant failed, or the tenant is not healthy after it."""

    event: Literal["tenant-failed"] = "tenant-failed"
    outcome: Outcome = Field(description="The recorded outcome: failed or unhealthy.")
    error: str = Field(description="What is wrong.")
    remedy: str = Field(default="", description="What to do, if known.")
    seconds: float = Field(default=0, description="How long the run took.")
    api_calls: int = Field(default=0, description="The number of requests to Cloudflare's API.")


class HealthChecked(_OfTenant):
    """The health of a tenant was checked."""

    event: Literal["health"] = "health"
    healthy: bool = Field(description="Whether the tenant is healthy.")
    found: tuple[str, ...] = Field(description="What the checks found, as sentences.")
    seconds: float = Field(description="How long the check took.")


class Exported(_OfTenant):
    """The databases of a tenant are exported, and the export is verified."""

    event: Literal["exported"] = "exported"
    place: str = Field(description="The folder or URL of the export.")
    databases: Mapping[str, int] = Field(description="The number of rows by database.")


class Waiting(_Event):
    """Calls wait for the account's rate limit."""

    event: Literal["waiting"] = "waiting"
    seconds: float = Field(description="The expected wait.")
    calls_left: int = Field(description="The number of calls left in the window.")
    reason: str = Field(default="", description="What the calls wait for.")


class TenantsByProgress(Frozen):
    """The names of a rollout's tenants by their progress."""

    done: tuple[str, ...] = Field(default=(), description="Deployed now or before, and healthy.")
    failed: tuple[str, ...] = Field(default=(), description="Their `up` failed.")
    unhealthy: tuple[str, ...] = Field(default=(), description="Deployed, but not healthy.")
    running: tuple[str, ...] = Field(default=(), description="Begun, and not known to have ended.")
    waiting: tuple[str, ...] = Field(default=(), description="Not begun, and unchanged.")


class Stopped(_Event):
    """The rollout stops early. The runs that had begun have ended."""

    event: Literal["stopped"] = "stopped"
    rollout: str = Field(description="The rollout's ID.")
    reason: str = Field(description="Why the rollout stopped.")
    where: TenantsByProgress = Field(description="The tenants by their progress.")
    remedy: str = Field(description="What to do now.")
    seconds: float = Field(description="How long the rollout ran.")


class Done(_Event):
    """Every tenant is deployed as its files say."""

    event: Literal["done"] = "done"
    rollout: str = Field(description="The rollout's ID; empty if there was nothing to do.")
    applied: int = Field(description="The number of deployed tenants.")
    unchanged: int = Field(description="The number of unchanged tenants, which cost no API call.")
    removed: int = Field(default=0, description="The number of retired or destroyed tenants.")
    left: tuple[str, ...] = Field(
        default=(),
        description="Tenants that are retired in the file but still exist, because `--retire` does "
        "not name them.",
    )
    api_calls: int = Field(default=0, description="The number of requests to Cloudflare's API.")
    seconds: float = Field(description="How long the rollout ran.")


FleetEvent: TypeAlias = (
    RolloutBegan
    | WaveBegan
    | TenantBegan
    | TenantStep
    | TenantDone
    | TenantFailed
    | HealthChecked
    | Exported
    | Waiting
    | Stopped
    | Done
)
Emit = Callable[[FleetEvent], None]
MODELS: tuple[type[FleetEvent], ...] = get_args(FleetEvent)


def as_line(event: FleetEvent) -> str:
    """Format an event as one line of JSON, with `event` and `at` first and without null fields."""
    fields = event.model_dump(mode="json", exclude_none=True)
    ordered = {key: fields.pop(key) for key in ("event", "at")} | fields
    return json.dumps(ordered, ensure_ascii=False)
