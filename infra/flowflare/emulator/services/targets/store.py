"""The rules of what bindings point to: a name is taken once in an account; what was made stays."""

import sqlite3
from collections.abc import Mapping
from typing import Any

from flowflare.emulator import target_codes as codes
from flowflare.emulator.clock import now, plain_id
from flowflare.emulator.database import Database
from flowflare.emulator.json_text import NotJsonError, parse_json, write_json
from flowflare.emulator.services.targets.kinds import Kind, Target


class TargetsStore:
    """What bindings of all accounts may point to.

    Args:
        database: the emulator's file.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, account: str, kind: Kind, name: str, record: Mapping[str, Any]) -> Target:
        """Makes one.

        Raises:
            Refusal: the kind's own, the name is taken.
        """
        key = plain_id()
        identity = key if kind.called_by == "id" else name
        made = Target(account, kind.name, identity, name, key, now(), record)
        try:
            self._database.run(
                "INSERT INTO targets VALUES (?, ?, ?, ?, ?, ?, ?)",
                *list(vars(made).values())[:-1],
                write_json(dict(record)),
            )
        except sqlite3.IntegrityError:
            raise kind.exists(name) from None
        return made

    def get(self, account: str, kind: Kind, identity: str) -> Target:
        """The one of that id.

        Raises:
            Refusal: the kind's own, there is none.
        """
        found = [each for each in self.of(account, kind) if each.id == identity]
        if not found:
            raise kind.missing()
        return found[0]

    def of(self, account: str, kind: Kind) -> list[Target]:
        """The account's, by name."""
        rows = self._database.rows(
            "SELECT * FROM targets WHERE account = ? AND kind = ? ORDER BY name",
            account,
            kind.name,
        )
        return [Target(**{**dict(row), "record": _record(row["record"])}) for row in rows]

    def delete(self, account: str, kind: Kind, identity: str) -> Target:
        """Deletes one and returns what it was.

        Raises:
            Refusal: the kind's own; 11005 a queue that scripts are bound to.
        """
        found = self.get(account, kind, identity)
        bound = self.bound(found)
        if kind.name == "queue" and bound:
            raise codes.queue_in_use(found.name, ", ".join(bound))
        self._database.run(
            "DELETE FROM targets WHERE account = ? AND kind = ? AND id = ?",
            account,
            kind.name,
            identity,
        )
        return found

    def bound(self, target: Target) -> list[str]:
        """The names of the scripts that are bound to a queue."""
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
    """What a target was made with; a row that is not in order spoils its own settings alone."""
    try:
        record = parse_json(text)
    except NotJsonError:
        return {}
    return record if isinstance(record, dict) else {}
