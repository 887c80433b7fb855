"""What a rollout over many tenants tells while it runs: frozen models, one JSON line each.

With `--json` a line is an event: the field `event` says which, `at` when, the others what its model
has. Models get new fields and never lose one.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from pydantic import Field

from flowflare.model.frozen import Frozen

Outcome = Literal["applied", "suspended", "failed", "unhealthy", "destroyed", "retired"]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _Event(Frozen):
    at: str = Field(default_factory=_now, description="The time, RFC 3339.")


class _OfTenant(_Event):
    tenant: str = Field(description="The tenant.")
    stack: str = Field(description="Its stack.")


class RolloutBegan(_Event):
    """A rollout begins, or goes on where it was interrupted."""

    event: Literal["rollout-began"] = "rollout-began"
    rollout: str = Field(description="Its id; the same when it goes on.")
    environment: str = Field(description="The environment.")
    resumed: bool = Field(description="Whether it goes on.")
    unchanged: int = Field(description="How many tenants are as they should be, without a call.")
    through: int = Field(description="How many tenants it brought up before it was interrupted.")
    waves: tuple[tuple[str, ...], ...] = Field(description="The tenants of each wave to come.")


class WaveBegan(_Event):
    """A wave begins."""

    event: Literal["wave-began"] = "wave-began"
    wave: int = Field(description="Its number, from 1 on.")
    of: int = Field(description="How many waves there are.")
    tenants: tuple[str, ...] = Field(description="Who is in it.")


class TenantBegan(_OfTenant):
    """Work on a tenant begins; that it runs is recorded before."""

    event: Literal["tenant-began"] = "tenant-began"
    doing: Literal["up", "export", "destroy"] = Field(description="What is done with its stack.")
    wave: int | None = Field(default=None, description="Its wave, where it is in one.")


class StepEvent(_OfTenant):
    """A resource of a tenant changes, or its run says something; nothing of those that stay."""

    event: Literal["step"] = "step"
    kind: Literal["started", "done", "failed", "skipped", "note"] = Field(
        description="As in the events of one stack's `up`."
    )
    op: str | None = Field(default=None, description="create, update, replace or delete.")
    resource: str | None = Field(default=None, description="The resource's name.")
    type: str | None = Field(default=None, description="Its type.")
    message: str = Field(default="", description="A note's text, or why it failed.")
    seconds: float = Field(default=0, description="How long the step took.")


class TenantDone(_OfTenant):
    """A tenant is as it should be."""

    event: Literal["tenant-done"] = "tenant-done"
    outcome: Outcome = Field(description="What is recorded of it.")
    changed: int = Field(default=0, description="How many of its resources were changed.")
    seconds: float = Field(description="How long the work took, its health check left out.")
    api_calls: int = Field(default=0, description="How many calls to the API it took.")


class TenantFailed(_OfTenant):
    """A tenant is not as it should be: its `up` failed, or it is not healthy after it."""

    event: Literal["tenant-failed"] = "tenant-failed"
    outcome: Outcome = Field(description="What is recorded of it: failed or unhealthy.")
    error: str = Field(description="What is wrong.")
    remedy: str = Field(default="", description="What to do, where that is known.")
    seconds: float = Field(default=0, description="How long the work took.")
    api_calls: int = Field(default=0, description="How many calls to the API it took.")


class HealthChecked(_OfTenant):
    """A tenant was asked whether it is well."""

    event: Literal["health"] = "health"
    healthy: bool = Field(description="Whether it is.")
    found: tuple[str, ...] = Field(description="What was found right, or wrong; sentences.")
    seconds: float = Field(description="How long it took until that was known.")


class Exported(_OfTenant):
    """The databases of a tenant are exported, and the export is verified."""

    event: Literal["exported"] = "exported"
    place: str = Field(description="The folder or address of the export.")
    databases: Mapping[str, int] = Field(description="Rows by database.")


class Waiting(_Event):
    """Calls wait for the account's budget."""

    event: Literal["waiting"] = "waiting"
    seconds: float = Field(description="How long, as far as that is known.")
    calls_left: int = Field(description="How many calls are left in the window.")
    reason: str = Field(default="", description="What is waited for.")


class Where(Frozen):
    """Who is where: names of tenants."""

    done: tuple[str, ...] = Field(default=(), description="Brought up now or before, and healthy.")
    failed: tuple[str, ...] = Field(default=(), description="Their `up` failed.")
    unhealthy: tuple[str, ...] = Field(default=(), description="Up, and not healthy.")
    running: tuple[str, ...] = Field(default=(), description="Begun, with an end not known.")
    waiting: tuple[str, ...] = Field(default=(), description="Not begun; as they were before.")


class Stopped(_Event):
    """The rollout stops before its end; what ran has ended."""

    event: Literal["stopped"] = "stopped"
    rollout: str = Field(description="Its id.")
    reason: str = Field(description="Why.")
    where: Where = Field(description="Who is where.")
    remedy: str = Field(description="What to do now.")
    seconds: float = Field(description="How long it ran.")


class Done(_Event):
    """Everybody is as the files say."""

    event: Literal["done"] = "done"
    rollout: str = Field(description="Its id; empty where there was nothing to do.")
    applied: int = Field(description="How many tenants were brought up.")
    unchanged: int = Field(description="How many were as they should be, without a call.")
    removed: int = Field(default=0, description="How many were retired or destroyed.")
    left: tuple[str, ...] = Field(
        default=(), description="Who is retired in the file and still there: not named."
    )
    api_calls: int = Field(default=0, description="How many calls to the API it took.")
    seconds: float = Field(description="How long it ran.")


FleetEvent: TypeAlias = (
    RolloutBegan
    | WaveBegan
    | TenantBegan
    | StepEvent
    | TenantDone
    | TenantFailed
    | HealthChecked
    | Exported
    | Waiting
    | Stopped
    | Done
)
Emit = Callable[[FleetEvent], None]
MODELS: tuple[type[FleetEvent], ...] = (
    RolloutBegan,
    WaveBegan,
    TenantBegan,
    StepEvent,
    TenantDone,
    TenantFailed,
    HealthChecked,
    Exported,
    Waiting,
    Stopped,
    Done,
)


def as_line(event: FleetEvent) -> str:
    """An event as JSON on one line, `event` and `at` first, absent fields left out."""
    import json

    fields = event.model_dump(mode="json", exclude_none=True)
    ordered = {key: fields.pop(key) for key in ("event", "at")} | fields
    return json.dumps(ordered, ensure_ascii=False)
