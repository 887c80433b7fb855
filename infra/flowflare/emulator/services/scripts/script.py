"""Describe scripts: their modules, bindings, exports and versions, as stored in the database."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flowflare.emulator.clock import hyphened_id, now
from flowflare.emulator.database import Database
from flowflare.emulator.json_text import NotJsonError, parse_json, write_json

Binding = Mapping[str, Any]
_MAX_VERSIONS = 20
ASSETS_ONLY_NAME = "emulator-assets-only.js"
"""The name of the main module of a version that has only assets."""
SCRIPT_SETTINGS = ("logpush", "observability", "tags", "tail_consumers")
"""The settings that belong to a script, whichever version is live."""


@dataclass(frozen=True)
class Module:
    """Describe one uploaded file."""

    name: str
    content_type: str
    content: bytes

    @property
    def is_source_map(self) -> bool:
        """Return whether it is a source map, which only explains errors."""
        return self.content_type == "application/source-map"


@dataclass(frozen=True)
class Export:
    """Describe what workerd found under one exported name of the main module."""

    name: str
    kind: str
    base: str | None
    handlers: tuple[str, ...]

    @property
    def is_class(self) -> bool:
        """Return whether it can be instantiated: a class, or an old-style function."""
        return self.kind in {"class", "function"}


@dataclass(frozen=True)
class Script:
    """Describe a deployed script."""

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
    version_id: str
    number: int
    deployed_from: str
    migration_tag: str | None
    enabled: bool
    previews: bool
    problem: str | None = None
    """Why its row cannot be read. All other fields are then empty, so that the script can be
    listed, deleted and uploaded again, but does not run."""

    @property
    def deployment_id(self) -> str:
        """Return its deployment's ID in an upload's answer: the version's ID without hyphens."""
        return self.version_id.replace("-", "")

    @property
    def handlers(self) -> list[str]:
        """List the handlers of the default export."""
        if self.service_worker:
            return ["fetch"]
        return [
            name for export in self.exports if export.name == "default" for name in export.handlers
        ]

    @property
    def handles_queues(self) -> bool:
        """Return whether it can consume a queue; a service worker's handlers are unknown."""
        return self.service_worker or "queue" in self.handlers

    @property
    def named_handlers(self) -> list[dict[str, Any]]:
        """List the exported classes with their methods."""
        return [
            {"name": export.name, "handlers": list(export.handlers)}
            for export in self.exports
            if export.name != "default" and export.is_class
        ]

    def classes(self) -> set[str]:
        """Return the names of the exported classes."""
        return {
            export.name for export in self.exports if export.name != "default" and export.is_class
        }

    def object_classes(self) -> set[str]:
        """Return the names of the exported classes that can be Durable Objects (our reading).

        A class that extends `WorkflowEntrypoint` or `WorkerEntrypoint` has no objects.
        """
        entrypoints = {
            export.name
            for export in self.exports
            if export.base in {"WorkflowEntrypoint", "WorkerEntrypoint"}
        }
        return self.classes() - entrypoints

    def binding(self, name: str) -> Binding | None:
        """Return the binding of that name, or None."""
        return next((binding for binding in self.bindings if binding["name"] == name), None)

    def with_script_settings_of(self, live: "Script") -> "Script":
        """Return the same version with the settings that belong to the live script."""
        versioned = {k: v for k, v in self.metadata.items() if k not in SCRIPT_SETTINGS}
        kept = {k: v for k, v in live.metadata.items() if k in SCRIPT_SETTINGS}
        return replace(self, metadata=versioned | kept)

    def with_bindings(self, bindings: Sequence[Binding], number: int) -> "Script":
        """Return a new version with that number: the same code with other bindings."""
        return replace(
            self,
            bindings=tuple(bindings),
            modified_on=now(),
            version_id=hyphened_id(),
            number=number,
        )


_RECORD = (
    "etag",
    "created_on",
    "modified_on",
    "main",
    "service_worker",
    "metadata",
    "version_id",
    "number",
    "deployed_from",
)


class Scripts:
    """Read and write scripts; the store holds the rules.

    Args:
        database: the emulator's file.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, account: str, name: str) -> Script | None:
        """Return the script of that name, or None."""
        row = self._database.row(
            "SELECT * FROM scripts WHERE account = ? AND name = ?", account, name
        )
        return _script(row) if row else None

    def list_scripts(self, account: str) -> list[Script]:
        """List all scripts of an account, by name."""
        rows = self._database.rows("SELECT * FROM scripts WHERE account = ? ORDER BY name", account)
        return [_script(row) for row in rows]

    def list_mentions(self, account: str, name: str) -> list[Script]:
        """List a script and all scripts whose bindings may refer to it, sorted by name."""
        rows = self._database.rows(
            "SELECT * FROM scripts WHERE account = ?1 AND (name = ?2 OR instr(bindings, ?3)) "
            "ORDER BY name",
            account,
            name,
            json.dumps(name),
        )
        return [_script(row) for row in rows]

    def modules(self, script: Script) -> list[Module]:
        """List the script's modules, the main module first."""
        rows = self._database.rows(
            "SELECT * FROM modules WHERE account = ? AND script = ? AND etag = ? ORDER BY position",
            script.account,
            script.name,
            script.etag,
        )
        return [Module(row["name"], row["content_type"], row["content"]) for row in rows]

    def save(self, script: Script, modules: Sequence[Module] = ()) -> None:
        """Save a script as the live version, with its modules if they are new."""
        self._database.run(
            "INSERT INTO scripts VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "tag = excluded.tag, record = excluded.record, bindings = excluded.bindings, "
            "migration_tag = excluded.migration_tag, enabled = excluded.enabled, "
            "previews = excluded.previews",
            script.account,
            script.name,
            script.tag,
            _record(script),
            _bindings(script),
            script.migration_tag,
            script.enabled,
            script.previews,
        )
        if script.number:
            self.save_version(script, modules)

    def save_version(self, script: Script, modules: Sequence[Module] = ()) -> None:
        """Save a version that is not live, and remove old versions."""
        where = (script.account, script.name)
        for position, module in enumerate(modules):
            self._database.run(
                "INSERT OR IGNORE INTO modules VALUES (?, ?, ?, ?, ?, ?, ?)",
                *where,
                script.etag,
                position,
                *vars(module).values(),
            )
        self._database.run(
            "INSERT OR REPLACE INTO versions VALUES (?, ?, ?, ?, ?, ?, ?)",
            *where,
            script.version_id,
            script.number,
            script.etag,
            _record(script),
            _bindings(script),
        )
        self._database.run(
            "DELETE FROM versions WHERE account = ? AND script = ? AND number <= ?",
            *where,
            script.number - _MAX_VERSIONS,
        )
        self._remove_unused_modules(*where)

    def delete_version(self, version: Script) -> None:
        """Delete a version, and its modules if no other version has them."""
        self._database.run(
            "DELETE FROM versions WHERE account = ? AND script = ? AND id = ?",
            *(version.account, version.name, version.version_id),
        )
        self._remove_unused_modules(version.account, version.name)

    def _remove_unused_modules(self, account: str, name: str) -> None:
        self._database.run(
            "DELETE FROM modules WHERE account = ?1 AND script = ?2 AND etag NOT IN "
            "(SELECT etag FROM versions WHERE account = ?1 AND script = ?2 UNION "
            "SELECT record ->> 'etag' FROM scripts WHERE account = ?1 AND name = ?2)",
            *(account, name),
        )

    def versions(self, live: Script) -> list[Script]:
        """List the versions of a script, newest first."""
        rows = self._database.rows(
            "SELECT * FROM versions WHERE account = ? AND script = ? ORDER BY number DESC",
            live.account,
            live.name,
        )
        versions = (_with_record(live, row) for row in rows)
        return [version for version in versions if version.problem is None]

    def next_number(self, account: str, name: str) -> int:
        """Return the number of the script's next version."""
        row = self._database.row(
            "SELECT max(number) FROM versions WHERE account = ? AND script = ?", account, name
        )
        return int((row and row[0]) or 0) + 1

    def delete(self, script: Script) -> None:
        """Delete a script with its versions, modules and schedules."""
        for table, column in {"scripts": "name", "modules": "script"}.items():
            self._database.run(
                f"DELETE FROM {table} WHERE account = ? AND {column} = ?",  # noqa: S608
                script.account,
                script.name,
            )


def _record(script: Script) -> str:
    exports = [vars(export) for export in script.exports]
    return write_json({key: getattr(script, key) for key in _RECORD} | {"exports": exports})


def _bindings(script: Script) -> str:
    return write_json([dict(binding) for binding in script.bindings])


def _script(row: sqlite3.Row) -> Script:
    bare = Script(
        account=row["account"],
        name=row["name"],
        tag=row["tag"],
        etag="",
        created_on=now(),
        modified_on=now(),
        main="",
        service_worker=False,
        metadata={"compatibility_date": "2021-11-02", "compatibility_flags": []},
        bindings=(),
        exports=(),
        version_id=hyphened_id(),
        number=0,
        deployed_from="api",
        migration_tag=row["migration_tag"],
        enabled=bool(row["enabled"]),
        previews=bool(row["previews"]),
    )
    return _with_record(bare, row)


def _with_record(script: Script, row: sqlite3.Row) -> Script:
    """Parse and add the JSON parts of a row. An invalid row affects only its own script."""
    try:
        fields = parse_json(row["record"])
        exports = [
            Export(export["name"], export["kind"], export["base"], tuple(export["handlers"]))
            for export in fields["exports"]
        ]
        bindings = parse_json(row["bindings"])
        _require_shape(fields, bindings)
        return replace(script, **{**fields, "exports": tuple(exports)}, bindings=tuple(bindings))
    except NotJsonError as error:
        return replace(script, problem=f"its stored record is not valid JSON: {error}")
    except (LookupError, TypeError, ValueError):
        return replace(script, problem="its stored record lacks required fields")


def _require_shape(fields: dict[str, Any], bindings: list[Any]) -> None:
    if set(fields) != {*_RECORD, "exports"}:
        raise ValueError
    metadata = fields["metadata"]
    texts = [metadata["compatibility_date"], *metadata["compatibility_flags"]]
    for binding in bindings:
        texts += [binding["name"], binding["type"]]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError
