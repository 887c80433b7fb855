"""Describe queues, which are bound by their names, and the errors of their consumers."""

import re
from collections.abc import Callable
from typing import Any

from flowflare.emulator.envelope import Refusal, refusal
from flowflare.emulator.services.targets.target import (
    Record,
    Target,
    TargetKind,
    Uses,
    pop_name,
    run_by_key,
)

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_SETTINGS = {"delivery_delay": 0, "delivery_paused": False, "message_retention_period": 345600}


def queue_exists(name: str) -> Refusal:
    """Return the error for a queue name that the account already uses."""
    return refusal(
        409,
        11009,
        f"Queue name '{name}' is already taken. Please use a different name and try again.",
    )


def queue_missing() -> Refusal:
    """Return the error for an unknown queue ID.

    The text is our interpretation.
    """
    return refusal(404, 11000, "Queue not found")


def queue_name_invalid() -> Refusal:
    """Return the error for an invalid queue name.

    Code and text are our interpretation.
    """
    return refusal(
        400,
        11003,
        "Queue name is invalid. Names have 1 to 63 lowercase letters, digits and hyphens, and "
        "begin and end with a letter or digit.",
    )


def queue_in_binding(_: str, name: str) -> Refusal:
    """Return the error for a binding to an unknown queue.

    The text is our interpretation.
    """
    return refusal(
        400, 11000, f"Queue '{name}' not found. Please use a different name and try again."
    )


def queue_in_use(name: str, script: str) -> Refusal:
    """Return the error for deleting a queue that a script is bound to."""
    return refusal(
        400,
        11005,
        f"Cannot delete queue '{name}' that is still referenced by a binding in a Worker. Unbind "
        f"queue '{name}' from the Workers '{script}'; then try again.",
    )


def queue_handler_missing() -> Refusal:
    """Return the error for a consumer, or its new version, without a `queue` handler."""
    return refusal(
        400,
        11001,
        "Queue handler is missing. Please see our docs for more information about creating "
        "handlers: https://developers.cloudflare.com/queues/configuration/javascript-apis/#consumer",
    )


def consumer_exists() -> Refusal:
    """Return the error for a second consumer of a queue.

    The status is our interpretation.
    """
    return refusal(409, 11004, "workers.api.error.consumer_exists")


def consumer_missing() -> Refusal:
    """Return the error for an unknown consumer ID.

    Code and text are our interpretation.
    """
    return refusal(404, 11002, "workers.api.error.consumer_not_found")


def script_consumes_queue() -> Refusal:
    """Return the error for deleting a script that consumes a queue.

    The status is our interpretation.
    """
    return refusal(409, 10064, "script still in use as a consumer for a queue")


def _view(target: Target, read_uses: Callable[[], Uses]) -> dict[str, Any]:
    uses = read_uses()
    return {
        "queue_id": target.id,
        "queue_name": target.name,
        "created_on": target.created_on,
        "modified_on": target.created_on,
        "producers": [{"type": "worker", "script": script} for script in uses.scripts],
        "producers_total_count": len(uses.scripts),
        "settings": {**_SETTINGS, **(target.record.get("settings") or {})},
        "consumers": uses.consumers,
        "consumers_total_count": len(uses.consumers),
    }


def _check(name: str, _: Record) -> None:
    if not _NAME.fullmatch(name):
        raise queue_name_invalid()


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
    updates={"PUT": lambda target, body, _: (pop_name(body, "queue_name"), target.record)},
    check=_check,
    in_use=queue_in_use,
    run=run_by_key,
)
