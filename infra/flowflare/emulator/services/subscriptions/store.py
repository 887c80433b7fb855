"""Hold the rules of event subscriptions: a Workflow has at most one, and its queue may change."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flowflare.emulator import codes, subscription_codes
from flowflare.emulator.clock import now, plain_id
from flowflare.emulator.database import Database, Store
from flowflare.emulator.json_text import NotJsonError, parse_json, write_json
from flowflare.emulator.services.targets.queue import QUEUE
from flowflare.emulator.services.targets.store import TargetsStore
from flowflare.emulator.services.workflows.store import WorkflowsStore

WORKFLOW: Final = "workflows.workflow"
EVENTS: Final = tuple(
    f"instance.{state}"
    for state in ("queued", "started", "paused", "errored", "terminated", "completed")
)
"""Source: developers.cloudflare.com/workflows/reference/event-subscriptions."""
SOURCES: Final = frozenset(
    (
        *("artifacts", "artifacts.repo", "browserRun", "email.sending", "images", "kv", "r2"),
        *("superSlurper", "vectorize", "workers.script", "workersAi.model"),
        "workersBuilds.worker",
    )
)
"""The sources of wrangler 4.164 and cloudflare-python 5.9 that the emulator does not emulate."""
PATH: Final = "/accounts/{account_id}/event_subscriptions/subscriptions"


@dataclass(frozen=True)
class Subscription:
    """Describe a subscription to the events of a Workflow's instances.

    Attributes:
        queue: the queue's ID.
        since: from which time on each event is published; empty while it is not enabled.
    """

    id: str
    account: str
    name: str
    enabled: bool
    workflow: str
    queue: str
    events: tuple[str, ...]
    since: Mapping[str, str]
    created_at: str
    modified_at: str


class SubscriptionsStore(Store):
    """Store the subscriptions of all accounts."""

    def __init__(
        self, database: Database, targets: TargetsStore, workflows: WorkflowsStore
    ) -> None:
        super().__init__(database)
        self._targets = targets
        self._workflows = workflows

    def list_subscriptions(self, account: str) -> list[Subscription]:
        """List an account's subscriptions, the oldest first."""
        rows = self._database.select("subscriptions", "created_at, id", account=account)
        return [_subscription(row) for row in rows]

    def get(self, account: str, identity: str) -> Subscription:
        """Return a subscription. Refusal: its ID is unknown."""
        for row in self._database.select("subscriptions", account=account, id=identity):
            return _subscription(row)
        raise subscription_codes.subscription_missing()

    def create(self, account: str, asked: Mapping[str, Any]) -> Subscription:
        """Subscribe to a Workflow. What happened before is not published.

        Raises:
            Refusal: 10001 a property is missing or invalid, 501 the source is not emulated, 11000
                unknown queue, or the Workflow is unknown or has a subscription.
        """
        for key in ("name", "source", "destination", "events"):
            if key not in asked:
                raise codes.invalid_body(f"`{key}` is required.")
        workflow = _read_source(asked["source"])
        name = _read_name(asked["name"])
        enabled = _read_enabled(asked.get("enabled", True))
        events = _read_events(asked["events"])
        queue = self._read_queue(account, asked["destination"])
        if not self._workflows.list_by_name(account, [workflow]):
            raise subscription_codes.source_missing(name=workflow)
        time = now()
        since = dict.fromkeys(events, time) if enabled else {}
        made = Subscription(
            plain_id(), account, name, enabled, workflow, queue, events, since, time, time
        )
        try:
            self._database.insert("subscriptions", *_values(made))
        except sqlite3.IntegrityError:
            raise subscription_codes.subscription_exists() from None
        return made

    def update(self, account: str, identity: str, asked: Mapping[str, Any]) -> Subscription:
        """Change what is given: `name`, `enabled`, `events` or `destination`.

        Raises:
            Refusal: the subscription or the queue is unknown, or 10001 a property is invalid.
        """
        old = self.get(account, identity)
        if "source" in asked and asked["source"] != view_source(old):
            raise codes.invalid_body("`source` of a subscription cannot be changed.")
        enabled = _read_enabled(asked.get("enabled", old.enabled))
        events = _read_events(asked["events"]) if "events" in asked else old.events
        queue = self._read_queue(account, asked["destination"]) if "destination" in asked else None
        time = now()
        since = {event: old.since.get(event, time) for event in events} if enabled else {}
        changed = Subscription(
            old.id,
            account,
            _read_name(asked["name"]) if "name" in asked else old.name,
            enabled,
            old.workflow,
            queue or old.queue,
            events,
            since,
            old.created_at,
            time,
        )
        self._database.insert("subscriptions", *_values(changed), replace=True)
        return changed

    def delete(self, account: str, identity: str) -> Subscription:
        """Delete a subscription and return it. Refusal: its ID is unknown."""
        deleted = self.get(account, identity)
        self._database.delete("subscriptions", account=account, id=identity)
        return deleted

    def _read_queue(self, account: str, asked: Any) -> str:
        if not isinstance(asked, dict) or asked.get("type") != "queues.queue":
            raise codes.invalid_body("`destination.type` must be `queues.queue`.")
        return self._targets.get(account, QUEUE, str(asked.get("queue_id"))).id


def view_source(subscription: Subscription) -> dict[str, str]:
    """Render a subscription's source for answers."""
    return {"type": WORKFLOW, "workflow_name": subscription.workflow}


def _read_name(asked: Any) -> str:
    if not isinstance(asked, str) or not asked:
        raise codes.invalid_body("`name` must be a name.")
    return asked


def _read_enabled(asked: Any) -> bool:
    if not isinstance(asked, bool):
        raise codes.invalid_body("`enabled` must be true or false.")
    return asked


def _read_events(asked: Any) -> tuple[str, ...]:
    if not isinstance(asked, list) or not asked or not all(event in EVENTS for event in asked):
        raise codes.invalid_body(f"`events` must be a list of {', '.join(EVENTS)}.")
    return tuple(dict.fromkeys(asked))


def _read_source(asked: Any) -> str:
    """Return the name of the Workflow. Refusal: it is another source, or none."""
    kind = asked.get("type") if isinstance(asked, dict) else None
    if isinstance(kind, str) and kind in SOURCES:
        raise codes.not_emulated("POST", f"{PATH} with a source of type {kind}")
    if kind != WORKFLOW:
        raise codes.invalid_body(f"`source.type` must be one of {WORKFLOW}, {', '.join(SOURCES)}.")
    name = asked.get("workflow_name")
    if not isinstance(name, str) or not name:
        raise codes.invalid_body("`source.workflow_name` must be the name of a Workflow.")
    return name


def _values(subscription: Subscription) -> tuple[object, ...]:
    values = vars(subscription)
    events, since = list(subscription.events), dict(subscription.since)
    return tuple({**values, "events": write_json(events), "since": write_json(since)}.values())


def _subscription(row: sqlite3.Row) -> Subscription:
    """Read a subscription; an invalid row loses only its events."""
    try:
        events, since = parse_json(row["events"]), parse_json(row["since"])
    except NotJsonError:
        events, since = [], {}
    values = {**dict(row), "enabled": bool(row["enabled"]), "events": tuple(events), "since": since}
    return Subscription(**values)
