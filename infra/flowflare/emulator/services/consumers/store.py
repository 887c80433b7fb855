"""Hold the rules of queue consumers: a queue has at most one, a Worker with a `queue` handler."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flowflare.emulator import codes
from flowflare.emulator.clock import now, plain_id
from flowflare.emulator.database import Database, Store
from flowflare.emulator.json_text import write_json
from flowflare.emulator.services.consumers.settings import (
    Settings,
    check_settings,
    read_settings,
)
from flowflare.emulator.services.scripts.store import ScriptsStore
from flowflare.emulator.services.targets import queue as queues
from flowflare.emulator.services.targets.store import TargetsStore
from flowflare.emulator.services.targets.target import Target


@dataclass(frozen=True)
class Consumer:
    """Describe the Worker that consumes a queue, or the clients that pull from it."""

    id: str
    queue: Target
    script: str | None
    """None for clients that pull."""
    dead_letter_queue: str
    """Its name; empty if there is none."""
    settings: Settings
    created_on: str


class ConsumersStore(Store):
    """Store the consumers of all queues."""

    def __init__(self, database: Database, targets: TargetsStore, scripts: ScriptsStore) -> None:
        super().__init__(database)
        self._targets = targets
        self._scripts = scripts

    def list_consumers(self, account: str, queue: str) -> list[Consumer]:
        """List the consumers of a queue, at most one. Refusal: 11000, the queue is unknown."""
        target = self._targets.get(account, queues.QUEUE, queue)
        rows = self._database.rows(
            "SELECT id, script, dead_letter_queue, settings, created_on FROM consumers "
            "WHERE account = ? AND queue = ?",
            *(account, target.id),
        )
        return [
            Consumer(
                row[0], target, row[1], row[2], read_settings(row[3], pulls=row[1] is None), row[4]
            )
            for row in rows
        ]

    def get(self, account: str, queue: str, identity: str) -> Consumer:
        """Return a consumer of a queue. Refusal: the queue or the consumer is unknown."""
        for consumer in self.list_consumers(account, queue):
            if consumer.id == identity:
                return consumer
        raise queues.consumer_missing()

    def create(self, account: str, queue: str, asked: Mapping[str, Any]) -> Consumer:
        """Let a Worker consume a queue.

        Raises:
            Refusal: 11000 unknown queue, 11004 the queue has a consumer, or
                `_check` refuses the settings.
        """
        if self.list_consumers(account, queue):
            raise queues.consumer_exists()
        script, dead_letter_queue, settings = self._check(account, asked)
        identity = plain_id()
        written = write_json(dict(settings))
        self._database.insert(
            "consumers", account, identity, queue, script, dead_letter_queue, written, now()
        )
        return self.get(account, queue, identity)

    def replace(
        self, account: str, queue: str, identity: str, asked: Mapping[str, Any]
    ) -> Consumer:
        """Replace a consumer's script and settings; missing settings get their defaults.

        Raises:
            Refusal: the queue or the consumer is unknown, or `_check` refuses the settings.
        """
        self.get(account, queue, identity)
        script, dead_letter_queue, settings = self._check(account, asked)
        self._database.run(
            "UPDATE consumers SET script = ?, dead_letter_queue = ?, settings = ? WHERE id = ?",
            *(script, dead_letter_queue, write_json(dict(settings)), identity),
        )
        return self.get(account, queue, identity)

    def delete(self, account: str, queue: str, identity: str) -> None:
        """Remove a consumer; the queue keeps its messages.

        Raises:
            Refusal: the queue or the consumer is unknown.
        """
        self.get(account, queue, identity)
        self._database.delete("consumers", id=identity)

    def _check(self, account: str, asked: Mapping[str, Any]) -> tuple[str | None, str, Settings]:
        """Return a request's script, dead-letter queue and settings; create that queue if needed.

        Raises:
            Refusal: 10007 unknown script, 11001 the script has no `queue` handler, 10001 an invalid
                property.
        """
        pulls = asked.get("type") == "http_pull"
        if not pulls and asked.get("type") != "worker":
            raise codes.invalid_body("`type` must be `worker` or `http_pull`.")
        script = None
        if not pulls:
            script = self._scripts.get(account, str(asked.get("script_name") or ""))
            if not script.handles_queues:
                raise queues.queue_handler_missing()
        settings = asked.get("settings") or {}
        dead_letter_queue = asked.get("dead_letter_queue") or ""
        if not isinstance(settings, dict) or not isinstance(dead_letter_queue, str):
            raise codes.invalid_body("`settings` must be an object, `dead_letter_queue` a name.")
        checked = check_settings(settings, pulls=pulls)
        names = {target.name for target in self._targets.list_targets(account, queues.QUEUE)}
        if dead_letter_queue and dead_letter_queue not in names:
            # As on Cloudflare (developers.cloudflare.com/workers/wrangler/configuration, queues).
            self._targets.create(account, queues.QUEUE, dead_letter_queue, {})
        return script.name if script else None, dead_letter_queue, checked
