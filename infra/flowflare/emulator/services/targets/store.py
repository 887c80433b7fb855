"""Hold the rules of binding targets: a name is unique in an account, and a target never changes."""

import sqlite3
from collections.abc import Callable, Iterable

from flowflare.emulator.clock import now, plain_id
from flowflare.emulator.database import Store
from flowflare.emulator.json_text import NotJsonError, parse_json, write_json
from flowflare.emulator.services.targets.kinds import BOUND
from flowflare.emulator.services.targets.target import Record, Target, TargetKind


class TargetsStore(Store):
    """Store the binding targets of all accounts."""

    def create(self, account: str, kind: TargetKind, name: str, record: Record) -> Target:
        """Create a target.

        Raises:
            Refusal: the name is invalid or already exists, or a property is invalid.
        """
        kind.check(name, record)
        key = plain_id()
        identity = key if kind.called_by == "id" else name
        target = Target(account, kind.name, identity, name, key, now(), record)
        try:
            self._database.insert(
                "targets", *list(vars(target).values())[:-1], write_json(dict(record))
            )
        except sqlite3.IntegrityError:
            raise kind.exists(name=name) from None
        return target

    def get(self, account: str, kind: TargetKind, identity: str) -> Target:
        """Return the target with that ID.

        Raises:
            Refusal: the ID is unknown; the error is the kind's own.
        """
        target = self.find(account, kind, "id", identity)
        if target is None:
            raise kind.missing()
        return target

    def find(self, account: str, kind: TargetKind, column: str, value: str) -> Target | None:
        """Return the target with that ID or name, or None."""
        where = {"account": account, "kind": kind.name, column: value}
        rows = self._database.select("targets", **where)
        return _target(rows[0]) if rows else None

    def list_targets(self, account: str, kind: TargetKind) -> list[Target]:
        """List the account's targets of a kind, by name."""
        rows = self._database.select("targets", "name", account=account, kind=kind.name)
        return [_target(row) for row in rows]

    def list_all(self, kind: TargetKind) -> list[Target]:
        """List the targets of a kind in all accounts."""
        return [_target(row) for row in self._database.select("targets", kind=kind.name)]

    def update(
        self,
        account: str,
        kind: TargetKind,
        identity: str,
        change: Callable[[Target], tuple[str, Record]],
    ) -> Target:
        """Change the name or properties of a target; its contents stay.

        Raises:
            Refusal: the target is missing, the name is taken, or the name or a property is invalid.
        """
        name, record = change(self.get(account, kind, identity))
        kind.check(name, record)
        try:
            self._database.run(
                "UPDATE targets SET name = ?, record = ? WHERE account = ? AND kind = ? AND id = ?",
                *(name, write_json(dict(record)), account, kind.name, identity),
            )
        except sqlite3.IntegrityError:
            raise kind.exists(name=name) from None
        return self.get(account, kind, identity)

    def delete(self, account: str, kind: TargetKind, identity: str) -> Target:
        """Delete a target and return it.

        Raises:
            Refusal: the kind's error; 11005 scripts are bound to the queue.
        """
        target = self.get(account, kind, identity)
        if kind.in_use and (bound := self.list_bound_scripts(kind, target)):
            raise kind.in_use(name=target.name, scripts=", ".join(bound))
        with self._database.transaction():
            self._database.delete("consumers", queue=identity)
            self._database.delete("targets", account=account, kind=kind.name, id=identity)
        return target

    def list_bound_scripts(self, kind: TargetKind, target: Target) -> list[str]:
        """List the names of the scripts that are bound to a target."""
        rows = self._database.rows(
            "SELECT DISTINCT scripts.name FROM scripts, json_each("
            "CASE WHEN json_valid(scripts.bindings) THEN scripts.bindings ELSE '[]' END) AS each "
            "WHERE account = ? AND each.value ->> 'type' = ? AND each.value ->> ? = ? ORDER BY 1",
            *(target.account, kind.binding, kind.bound_by, getattr(target, kind.bound_to)),
        )
        return [row["name"] for row in rows]


def read_bound_targets(rows: Iterable[sqlite3.Row]) -> dict[tuple[str, str], bool]:
    """Return whether Workers may be bound to a target, by (kind, name or ID in bindings)."""
    return {
        (kind.name, kind.name_in_bindings(target)): kind.is_bindable(target.record)
        for target in map(_target, rows)
        for kind in BOUND
        if kind.name == target.kind
    }


def _target(row: sqlite3.Row) -> Target:
    """Read a target; an invalid row loses only its properties."""
    try:
        record = parse_json(row["record"])
    except NotJsonError:
        record = {}
    return Target(**{**dict(row), "record": record if isinstance(record, dict) else {}})
