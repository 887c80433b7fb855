"""Hold the rules of binding targets: a name is unique in an account, and a target never changes."""

import sqlite3
from collections.abc import Mapping
from typing import Any

from flowflare.emulator import target_codes as codes
from flowflare.emulator.clock import now, plain_id
from flowflare.emulator.database import Database
from flowflare.emulator.json_text import NotJsonError, parse_json, write_json
from flowflare.emulator.services.targets.kinds import Target, TargetKind


class TargetsStore:
    """Store the binding targets of all accounts.

    Args:
        database: the emulator's file.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self, account: str, kind: TargetKind, name: str, record: Mapping[str, Any]
    ) -> Target:
        """Create a target.

        Raises:
            Refusal: the name is invalid or already exists, or a property is invalid.
        """
        kind.check(name, record)
        key = plain_id()
        identity = key if kind.called_by == "id" else name
        target = Target(account, kind.name, identity, name, key, now(), record)
        try:
            self._database.run(
                "INSERT INTO targets VALUES (?, ?, ?, ?, ?, ?, ?)",
                *list(vars(target).values())[:-1],
                write_json(dict(record)),
            )
        except sqlite3.IntegrityError:
            raise kind.exists(name) from None
        return target

    def get(self, account: str, kind: TargetKind, identity: str) -> Target:
        """Return the target with that ID.

        Raises:
            Refusal: the kind's error, the ID is unknown.
        """
        matching = [item for item in self.list_targets(account, kind) if item.id == identity]
        if not matching:
            raise kind.missing()
        return matching[0]

    def list_targets(self, account: str, kind: TargetKind) -> list[Target]:
        """List the account's targets of a kind, by name."""
        rows = self._database.rows(
            "SELECT * FROM targets WHERE account = ? AND kind = ? ORDER BY name",
            account,
            kind.name,
        )
        return [Target(**{**dict(row), "record": _record(row["record"])}) for row in rows]

    def rename(self, account: str, kind: TargetKind, identity: str, name: str) -> Target:
        """Rename a target; its contents stay.

        Raises:
            Refusal: the target is missing, or the name is invalid or taken.
        """
        kind.check(name, {})
        self.get(account, kind, identity)
        try:
            self._database.run(
                "UPDATE targets SET name = ? WHERE account = ? AND kind = ? AND id = ?",
                *(name, account, kind.name, identity),
            )
        except sqlite3.IntegrityError:
            raise kind.exists(name) from None
        return self.get(account, kind, identity)

    def change(
        self, account: str, kind: TargetKind, identity: str, record: Mapping[str, Any]
    ) -> Target:
        """Change properties of a target.

        Raises:
            Refusal: the target is missing, or a property is invalid.
        """
        target = self.get(account, kind, identity)
        kind.check(target.name, record)
        self._database.run(
            "UPDATE targets SET record = ? WHERE account = ? AND kind = ? AND id = ?",
            write_json({**target.record, **record}),
            *(account, kind.name, identity),
        )
        return self.get(account, kind, identity)

    def delete(self, account: str, kind: TargetKind, identity: str) -> Target:
        """Delete a target and return it.

        Raises:
            Refusal: the kind's error; 11005 scripts are bound to the queue.
        """
        target = self.get(account, kind, identity)
        bound = self.list_bound_scripts(target)
        if kind.name == "queue" and bound:
            raise codes.queue_in_use(target.name, ", ".join(bound))
        with self._database.transaction():
            self._database.run("DELETE FROM consumers WHERE queue = ?", identity)
            self._database.run(
                "DELETE FROM targets WHERE account = ? AND kind = ? AND id = ?",
                *(account, kind.name, identity),
            )
        return target

    def list_bound_scripts(self, target: Target) -> list[str]:
        """List the names of the scripts that are bound to a queue."""
        rows = self._database.rows(
            "SELECT DISTINCT scripts.name FROM scripts, json_each("
            "CASE WHEN json_valid(scripts.bindings) THEN scripts.bindings ELSE '[]' END) AS each "
            "WHERE account = ? AND each.value ->> 'type' = 'queue' "
            "AND each.value ->> 'queue_name' = ? ORDER BY 1",
            target.account,
            target.name,
        )
        return [row["name"] for row in rows]


def _record(text: str) -> dict[str, Any]:
    """Return a target's properties; an invalid row loses only its own properties."""
    try:
        record = parse_json(text)
    except NotJsonError:
        return {}
    return record if isinstance(record, dict) else {}
