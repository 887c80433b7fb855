"""Refuse changes that would break a script's users: bound scripts and consumed queues."""

from collections.abc import Collection
from dataclasses import dataclass

from flowflare.emulator import codes
from flowflare.emulator.database import Database
from flowflare.emulator.services.scripts.script import Script
from flowflare.emulator.services.targets import queue


@dataclass(frozen=True)
class References:
    """List which other scripts refer to a script."""

    services: tuple[tuple[str, str], ...]
    """(script, binding) of service bindings."""
    objects: tuple[tuple[str, str, str], ...]
    """(script, binding, class) of Durable Object bindings."""


def refuse_deletion(script: Script, references: References, database: Database) -> None:
    """Refuse to delete a script that is in use.

    Raises:
        Refusal: 10142 other scripts are bound to it, 10064 it consumes a queue.
    """
    kinds: list[tuple[str, Collection[str]]] = [
        ("service", {name for name, _ in references.services}),
        ("durable object", {name for name, _, _ in references.objects}),
    ]
    for kind, names in kinds:
        if names:
            raise codes.still_referenced(script.name, kind, sorted(names))
    if _consumes_queue(script, database):
        raise queue.script_consumes_queue()


def refuse_missing_handler(script: Script, database: Database) -> None:
    """Refuse a new version of a queue's consumer that has no `queue` handler. Refusal: 11001."""
    if not script.handles_queues and _consumes_queue(script, database):
        raise queue.queue_handler_missing()


def _consumes_queue(script: Script, database: Database) -> bool:
    found = database.row(
        "SELECT 1 FROM consumers WHERE account = ? AND script = ?", script.account, script.name
    )
    return found is not None
