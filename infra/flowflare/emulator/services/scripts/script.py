"""What a script is: its modules, bindings, exports and history, as kept in the database."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flowflare.emulator.clock import hyphened_id, now, plain_id
from flowflare.emulator.database import Database

Binding = Mapping[str, Any]


@dataclass(frozen=True)
class Module:
    """One uploaded file."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Export:
    """What workerd found the main module to export under one name."""

    name: str
    kind: str
    base: str | None
    handlers: tuple[str, ...]

    @property
    def is_class(self) -> bool:
        """Whether it can be instantiated: a class, or a function in the old manner."""
        return self.kind in {"class", "function"}


@dataclass(frozen=True)
class Script:
    """A deployed script."""

    account: str
    name: str
    tag: str
    etag: str
    created_on: str
    modified_on: str
    main: str
    service_worker: bool
    metadata: Mapping[str, Any]
    bindings: tuple[Binding, ...]
    exports: tuple[Export, ...]
    deployment_id: str
    version_id: str
    number: int
    deployed_from: str
    migration_tag: str | None
    enabled: bool
    previews: bool

    @property
    def handlers(self) -> list[str]:
        """The handlers of the default export."""
        if self.service_worker:
            return ["fetch"]
        return [name for each in self.exports if each.name == "default" for name in each.handlers]

    @property
    def named_handlers(self) -> list[dict[str, Any]]:
        """The classes it exports, with their methods."""
        return [
            {"name": each.name, "handlers": list(each.handlers)}
            for each in self.exports
            if each.name != "default" and each.is_class
        ]

    def classes(self) -> set[str]:
        """The names of the classes it exports."""
        return {each.name for each in self.exports if each.name != "default" and each.is_class}

    def binding(self, name: str) -> Binding | None:
        """Its binding of that name."""
        return next((each for each in self.bindings if each["name"] == name), None)

    def changed(self, bindings: Sequence[Binding]) -> "Script":
        """The next version, of the same code with other bindings."""
        return replace(
            self,
            bindings=tuple(bindings),
            modified_on=now(),
            deployment_id=plain_id(),
            version_id=hyphened_id(),
            number=self.number + 1,
        )


_RECORD = (
    "etag",
    "created_on",
    "modified_on",
    "main",
    "service_worker",
    "metadata",
    "deployment_id",
    "version_id",
    "number",
    "deployed_from",
)


class Scripts:
    """Reads and writes scripts; the rules are the store's.

    Args:
        database: the emulator's file.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, account: str, name: str) -> Script | None:
        """The script of that name."""
        row = self._database.row(
            "SELECT * FROM scripts WHERE account = ? AND name = ?", account, name
        )
        return _script(row) if row else None

    def of(self, account: str) -> list[Script]:
        """All scripts of an account, by name."""
        rows = self._database.rows("SELECT * FROM scripts WHERE account = ? ORDER BY name", account)
        return [_script(row) for row in rows]

    def modules(self, script: Script) -> list[Module]:
        """Its modules, the main one first."""
        rows = self._database.rows(
            "SELECT * FROM modules WHERE account = ? AND script = ? ORDER BY position",
            script.account,
            script.name,
        )
        return [Module(row["name"], row["content_type"], row["content"]) for row in rows]

    def save(self, script: Script, modules: Sequence[Module] | None = None) -> None:
        """Writes a script, and its modules where they are given."""
        record = {key: getattr(script, key) for key in _RECORD} | {
            "exports": [vars(each) for each in script.exports]
        }
        self._database.run(
            "INSERT INTO scripts VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "tag = excluded.tag, record = excluded.record, bindings = excluded.bindings, "
            "migration_tag = excluded.migration_tag, enabled = excluded.enabled, "
            "previews = excluded.previews",
            script.account,
            script.name,
            script.tag,
            json.dumps(record),
            json.dumps([dict(each) for each in script.bindings]),
            script.migration_tag,
            script.enabled,
            script.previews,
        )
        if modules is not None:
            self._save_modules(script, modules)

    def delete(self, script: Script) -> None:
        """Removes a script with its modules and schedules."""
        self._database.run(
            "DELETE FROM scripts WHERE account = ? AND name = ?", script.account, script.name
        )

    def _save_modules(self, script: Script, modules: Sequence[Module]) -> None:
        self._database.run(
            "DELETE FROM modules WHERE account = ? AND script = ?", script.account, script.name
        )
        for position, module in enumerate(modules):
            self._database.run(
                "INSERT INTO modules VALUES (?, ?, ?, ?, ?, ?)",
                script.account,
                script.name,
                position,
                module.name,
                module.content_type,
                module.content,
            )


def _script(row: sqlite3.Row) -> Script:
    record = json.loads(row["record"])
    exports = tuple(
        Export(each["name"], each["kind"], each["base"], tuple(each["handlers"]))
        for each in record.pop("exports")
    )
    return Script(
        account=row["account"],
        name=row["name"],
        tag=row["tag"],
        bindings=tuple(json.loads(row["bindings"])),
        exports=exports,
        migration_tag=row["migration_tag"],
        enabled=bool(row["enabled"]),
        previews=bool(row["previews"]),
        **record,
    )
