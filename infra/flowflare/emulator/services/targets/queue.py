"""Describe queues, which are bound by their names, and the errors of their consumers."""

import re
from collections.abc import Callable
from typing import Any

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
_SETTINGS = {"delivery_delay": 0, "delivery_paused": False, "message_retention_period": 345600}


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
    "Queue name is invalid. Names have 1 to 63 lowercase letters, digits and hyphens, "
    "and begin and end with a letter or digit.",
    "an invalid queue name. Code and text are our interpretation.",
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
