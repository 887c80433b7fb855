"""Read and render the settings of a Worker, which hold for all its versions.

Source of the defaults: the schema of `cloudflare_worker` in the Terraform provider 5.22.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from flowflare.emulator import codes
from flowflare.emulator.services.scripts.script import Script

_OBSERVABILITY: Mapping[str, Any] = {
    "enabled": False,
    "head_sampling_rate": 1,
    "logs": {
        "enabled": False,
        "head_sampling_rate": 1,
        "invocation_logs": True,
        "persist": True,
        "destinations": [],
    },
    "traces": {
        "enabled": False,
        "head_sampling_rate": 1,
        "persist": True,
        "destinations": [],
        "propagation_policy": None,
    },
}


class Settings(BaseModel):
    """Hold the body that creates or changes a Worker; a member that is not given is None."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    class Subdomain(BaseModel):
        """Hold `subdomain`."""

        enabled: bool | None = None
        previews_enabled: bool | None = None

    class Consumer(BaseModel):
        """Hold one of `tail_consumers`."""

        name: str

    name: str | None = None
    logpush: bool | None = None
    tags: list[str] | None = None
    observability: dict[str, Any] | None = None
    subdomain: Subdomain | None = None
    tail_consumers: list[Consumer] | None = None


def read_settings(body: Mapping[str, Any]) -> Settings:
    """Validate a Worker's settings. Refusal: 10001, a member has the wrong type (our reading)."""
    try:
        return Settings.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(key) for key in first["loc"])
        raise codes.invalid_body(f"{path}: {first['msg']}") from None


def apply_settings(script: Script, given: Settings, *, keep: bool) -> Script:
    """Return the script with these settings.

    Args:
        keep: whether members that are not given stay; otherwise they get their defaults.
    """
    stored = script.metadata
    subdomain = given.subdomain or Settings.Subdomain()
    enabled = _choose(subdomain.enabled, script.enabled if keep else False)
    previews = _choose(subdomain.previews_enabled, script.previews if keep else enabled)
    before = (stored.get("observability") or {}) if keep else {}
    consumers = given.tail_consumers
    settings = {
        "logpush": _choose(given.logpush, bool(keep and stored.get("logpush"))),
        "tags": _choose(given.tags, (keep and stored.get("tags")) or []),
        "observability": merge(before, given.observability or {}),
        "tail_consumers": ((keep and stored.get("tail_consumers")) or [])
        if consumers is None
        else [{"service": consumer.name} for consumer in consumers],
    }
    return replace(script, metadata={**stored, **settings}, enabled=enabled, previews=previews)


def view_settings(script: Script) -> dict[str, Any]:
    """Render the settings with their defaults."""
    stored = script.metadata
    return {
        "logpush": bool(stored.get("logpush")),
        "tags": stored.get("tags") or [],
        "observability": merge(_OBSERVABILITY, stored.get("observability") or {}),
        "subdomain": {"enabled": script.enabled, "previews_enabled": script.previews},
        "tail_consumers": [
            {"name": consumer["service"]} for consumer in stored.get("tail_consumers") or []
        ],
    }


def merge(before: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Apply a JSON merge patch (RFC 7396), in which null removes a member."""
    merged = dict(before)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping):
            inner = merged.get(key)
            merged[key] = merge(inner if isinstance(inner, Mapping) else {}, value)
        else:
            merged[key] = value
    return merged


def _choose(given: Any, default: Any) -> Any:
    return default if given is None else given
