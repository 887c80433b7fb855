"""Describe queues, which are bound by their names, and the errors of their consumers."""

import re
from collections.abc import Callable
from typing import Any

from flowflare.emulator import codes
from flowflare.emulator.clock import now
from flowflare.emulator.envelope import Code
from flowflare.emulator.services.targets.target import (
    Record,
    Target,
    TargetKind,
    Uses,
    pop_name,
    run_by_key,
)

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_DEFAULTS = {"delivery_delay": 0, "delivery_paused": False, "message_retention_period": 345600}

#: In seconds. Source: developers.cloudflare.com/queues/platform/limits.
_LIMITS = {"delivery_delay": (0, 86_400), "message_retention_period": (60, 1_209_600)}


queue_exists = Code(
    409,
    11009,
    "Queue name '{name}' is already taken. Please use a different name and try again.",
    "a queue name that the account already uses.",
)
queue_missing = Code(
    404, 11000, "Queue not found", "an unknown queue ID. The text is our interpretation."
)
queue_name_invalid = Code(
    400,
    11003,
    "Queue name '{name}' is invalid: invalid queue name: {name}. Must match {pattern}.",
    # Public trace: redwoodjs/sdk pull request 381.
    "an invalid queue name.",
)
queue_in_binding = Code(
    400,
    11000,
    "Queue '{name}' not found. Please use a different name and try again.",
    "a binding to an unknown queue. The text is our interpretation.",
)
queue_in_use = Code(
    400,
    11005,
    "Cannot delete queue '{name}' that is still referenced by a binding in a Worker. "
    "Unbind queue '{name}' from the Workers '{scripts}'; then try again.",
    "deleting a queue that a script is bound to.",
)
queue_handler_missing = Code(
    400,
    11001,
    "Queue handler is missing. Please see our docs for more information about creating "
    "handlers: "
    "https://developers.cloudflare.com/queues/configuration/javascript-apis/#consumer",
    "a consumer, or its new version, without a `queue` handler.",
)
consumer_exists = Code(
    409,
    11004,
    "workers.api.error.consumer_exists",
    "a second consumer of a queue. The status is our interpretation.",
)
consumer_missing = Code(
    404,
    11002,
    "workers.api.error.consumer_not_found",
    "an unknown consumer ID. Code and text are our interpretation.",
)
script_consumes_queue = Code(
    409,
    10064,
    "script still in use as a consumer for a queue",
    "deleting a script that consumes a queue. The status is our interpretation.",
)


def _view(target: Target, read_uses: Callable[[], Uses]) -> dict[str, Any]:
    uses = read_uses()
    return {
        "queue_id": target.id,
        "queue_name": target.name,
        "created_on": target.created_on,
        "modified_on": target.record.get("modified_on") or target.created_on,
        "producers": [{"type": "worker", "script": script} for script in uses.scripts],
        "producers_total_count": len(uses.scripts),
        "settings": {**read_settings(target)},
        "consumers": uses.consumers,
        "consumers_total_count": len(uses.consumers),
    }


def _check(name: str, record: Record) -> None:
    """Check a queue. Refusal: 11003 its name, 10001 a setting (the code is our reading)."""
    if not _NAME.fullmatch(name):
        raise queue_name_invalid(name=name, pattern=f"^{_NAME.pattern}$")
    settings = record.get("settings")
    if not isinstance(settings, dict | None):
        raise codes.invalid_body("`settings` must be an object.")
    for key, value in (settings or {}).items():
        if key == "delivery_paused" and not isinstance(value, bool | None):
            raise codes.invalid_body(f"`{key}` must be true or false.")
        least, most = _LIMITS.get(key, (0, 0))
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if key in _LIMITS and value is not None and not (is_number and least <= value <= most):
            raise codes.invalid_body(f"`{key}` must be from {least} to {most} seconds.")


def read_settings(target: Target) -> dict[str, Any]:
    """Return all settings of a queue, with defaults for those that are not set."""
    stored = target.record.get("settings")
    given = stored if isinstance(stored, dict) else {}
    return {**_DEFAULTS, **{key: value for key, value in given.items() if value is not None}}


def read_queue_settings(target: Target) -> dict[str, Any]:
    """Return the settings of a queue as the runtime reads them."""
    settings = read_settings(target)
    return {
        "paused": settings["delivery_paused"],
        "delay": int(settings["delivery_delay"]),
        "retention": int(settings["message_retention_period"]),
    }


def _update(target: Target, body: dict[str, Any], _: object) -> tuple[str, Record]:
    """Change what the body has: the name, and each of the settings."""
    name = pop_name(body, "queue_name") if "queue_name" in body else target.name
    settings = body.get("settings") or {}
    if not isinstance(settings, dict):
        raise codes.invalid_body("`settings` must be an object.")
    merged = {**read_settings(target), **settings}
    return name, {**target.record, "settings": merged, "modified_on": now()}


QUEUE = TargetKind(
    name="queue",
    words="queues",
    path="/queues",
    title="queue_name",
    found_by_name=True,  # wrangler finds a queue with it
    binding="queue",
    bound_by="queue_name",
    bound_to="name",
    view=_view,
    exists=queue_exists,
    missing=queue_missing,
    unbound=queue_in_binding,
    updates={"PUT": _update, "PATCH": _update},
    check=_check,
    in_use=queue_in_use,
    run=run_by_key,
    queue_settings=read_queue_settings,
)
