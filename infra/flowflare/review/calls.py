"""Foresees how many requests to Cloudflare's API a step takes.

The count is of a run in which nothing fails and nothing is left to mend. A test compares it with
the request log of the embedded Cloudflare.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final

from flowflare.review.classes import steps_to_send
from flowflare.review.entries import Calls, Entry
from flowflare.review.migrations import pending_files
from flowflare.values.events import HALF_DONE, RETAINED, Step

_CLOUDFLARE: Final = "cloudflare:"


def calls_of(step: Step) -> int:
    """How many requests a step takes; a replacement's count is that of both its halves."""
    if step.op == "same" or not step.custom or step.note == RETAINED:
        return 0
    if step.note == HALF_DONE:
        step = replace(step, op="create")
    count = _COUNTS.get(step.type.rpartition(":")[2])
    if count is not None:
        return count(step)
    if not step.type.startswith(_CLOUDFLARE):
        return 0  # made without Cloudflare: a key, a secret, a component
    return 2 if step.op == "replace" else 1


def summed(entries: Iterable[Entry]) -> tuple[Calls, ...]:
    """The requests by type and operation, sorted; what takes none is left out."""
    resources: Counter[tuple[str, str]] = Counter()
    calls: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        if entry.api_calls:
            resources[entry.type, entry.op] += 1
            calls[entry.type, entry.op] += entry.api_calls
    return tuple(
        Calls.model_validate({"type": key[0], "op": key[1], "resources": number} | {"calls": sent})
        for (key, sent), number in (
            ((key, calls[key]), resources[key]) for key in sorted(resources)
        )
    )


def _database(step: Step) -> int:
    # The API takes the read replication only afterwards, in a request of its own.
    made = 2 if "readReplication" in (step.new or {}) else 1
    return {"create": made, "replace": made + 1}.get(step.op, 1)


def _migrations(step: Step) -> int:
    if step.op == "delete":
        return 0  # the files are forgotten; what they did goes with the database
    return 1 + 2 * len(pending_files(step))  # the ledger; a bookmark and the SQL of each file


def _class_history(step: Step) -> int:
    if step.op == "delete":
        return 0  # the script's deletion deletes the classes
    steps = steps_to_send(step)
    if step.op == "update" and not steps:
        return 2  # the live script and its settings
    if step.op == "update":
        # The live script, its settings, the namespaces and the upload; for a class that ends who is
        # bound to it, and its own bindings, read and written.
        return 4 + (3 if any(one.deleted_classes for one in steps) else 0)
    # Whether there is one, the upload; the namespaces if a class comes from another script.
    return 2 + any(bool(one.transferred_classes) for one in steps)


def _url(step: Step) -> int:
    return 0 if step.op == "delete" else 1


def _bindings(step: Step) -> int:
    return 0 if step.op == "delete" else 2  # what is bound, the upload or the settings


def _cron_cleanup(step: Step) -> int:
    return 1 if step.op in ("delete", "replace") else 0  # the schedules are cleared once


def _crons(step: Step) -> int:
    return 0 if step.op == "delete" else 1  # deleted without a call: CronCleanup clears them


_COUNTS: Final[Mapping[str, Callable[[Step], int]]] = {
    "CronCleanup": _cron_cleanup,
    "D1Database": _database,
    "D1Migrations": _migrations,
    "DurableObjectMigrations": _class_history,
    "ScriptBindings": _bindings,
    "WorkersCronTrigger": _crons,
    "WorkersDevUrl": _url,
}
