"""Describe event subscriptions for the Node child, and remember what it knows."""

from typing import Any

from flowflare.emulator.database import Database
from flowflare.emulator.json_text import NotJsonError, parse_json


class Subscriptions:
    """Find the accounts whose subscriptions the child does not know."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, list[dict[str, Any]]] = {}

    def clear(self) -> None:
        """Forget what the child knows, because it is a new one."""
        self._known.clear()

    def accounts(self) -> list[str]:
        """List the accounts with subscriptions."""
        rows = self._database.rows("SELECT DISTINCT account FROM subscriptions ORDER BY 1")
        return [row["account"] for row in rows]

    def find_change(self, account: str) -> list[dict[str, Any]] | None:
        """Return an account's subscriptions, or None if the child knows them."""
        described = self._describe(account)
        return None if described == self._known.get(account, []) else described

    def remember(self, account: str, described: list[dict[str, Any]]) -> None:
        """Remember what the child knows of an account."""
        self._known[account] = described

    def _describe(self, account: str) -> list[dict[str, Any]]:
        """Describe those that are enabled and whose Workflow and queue exist."""
        rows = self._database.rows(
            "SELECT subscriptions.id, subscriptions.since, workflows.id AS workflow, "
            "workflows.name AS workflow_name, targets.key AS queue "
            "FROM subscriptions "
            "JOIN workflows ON workflows.account = subscriptions.account "
            "AND workflows.name = subscriptions.workflow "
            "JOIN targets ON targets.account = subscriptions.account AND targets.kind = 'queue' "
            "AND targets.id = subscriptions.queue "
            "WHERE subscriptions.account = ? AND subscriptions.enabled ORDER BY subscriptions.id",
            account,
        )
        return [
            {
                **{key: row[key] for key in ("id", "workflow", "workflow_name", "queue")},
                "since": _read_since(row["since"]),
                "versions": self._versions(row["workflow"]),
            }
            for row in rows
        ]

    def _versions(self, workflow: str) -> list[dict[str, Any]]:
        rows = self._database.select("workflow_versions", "number DESC", workflow=workflow)
        return [{"id": row["id"], "created_on": row["created_on"]} for row in rows]


def _read_since(text: str) -> dict[str, str]:
    """Read when each event's subscription began, in milliseconds as Miniflare's engine logs times.

    An invalid row publishes nothing.
    """
    try:
        since = parse_json(text)
    except NotJsonError:
        return {}
    return {event.removeprefix("instance."): f"{time[:23]}Z" for event, time in since.items()}
