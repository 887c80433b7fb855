"""Exports of databases as SQL: asked for, polled until they are there, fetched from a URL."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flowflare.emulator import codes
from flowflare.emulator.clock import plain_id
from flowflare.emulator.runtime.workers import Workers
from flowflare.emulator.services.d1 import queries
from flowflare.emulator.services.d1.store import D1Database

_KEPT_SECONDS = 3600
# Miniflare's own way to dump a database, statement by statement.
_DUMP = "PRAGMA miniflare_d1_export(?,?,?);"
_VIRTUAL = "SELECT count(*) FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL TABLE%'"


@dataclass(frozen=True)
class Options:
    """What shall be in an export: all tables unless some are named."""

    tables: tuple[str, ...]
    no_schema: bool
    no_data: bool


@dataclass(frozen=True)
class _File:
    text: str
    until: float


class Exports:
    """Exports under way, by the bookmark that clients poll with, and those that can be fetched.

    Args:
        workers: where the databases are.
        clock: seconds, from any moment on.
    """

    def __init__(self, workers: Workers, clock: Callable[[], float] = time.monotonic) -> None:
        self._workers = workers
        self._clock = clock
        self._asked: dict[str, Options] = {}
        self._files: dict[str, _File] = {}

    def ask(self, bookmark: str, body: dict[str, Any]) -> None:
        """Takes note of an export; it is made when it is polled for.

        Raises:
            Refusal: 7400, something about it is wrong.
        """
        if body.get("output_format") != "polling":
            raise codes.invalid_property("output_format: Invalid literal value, expected 'polling'")
        asked = body.get("dump_options") or {}
        tables = asked.get("tables") or [] if isinstance(asked, dict) else None
        if not isinstance(tables, list) or not all(isinstance(each, str) for each in tables):
            raise codes.invalid_property("dump_options.tables: Expected array of strings")
        no_schema, no_data = bool(asked.get("no_schema")), bool(asked.get("no_data"))
        if no_schema and no_data:
            raise codes.invalid_property("dump_options: no_schema and no_data leave nothing")
        self._asked[bookmark] = Options(tuple(tables), no_schema, no_data)

    async def make(self, database: D1Database, bookmark: str) -> str:
        """Makes the export that was asked for and returns the name of its file.

        Raises:
            Refusal: 7400 none was asked for with that bookmark, 7500 a database with virtual
                tables, which D1 does not export.
        """
        options = self._asked.pop(bookmark, None)
        if options is None:
            raise codes.invalid_property("current_bookmark: not currently exporting anything")
        counted = await queries.run(self._workers, database.uuid, [queries.Statement(_VIRTUAL)])
        if counted[0]["results"]["rows"][0][0]:
            raise codes.query_failed(
                "D1 Export error: cannot export databases with Virtual Tables (fts5)"
            )
        params = [int(options.no_schema), int(options.no_data), *options.tables]
        answer = await self._workers.query(database.uuid, [{"sql": _DUMP, "params": params}])
        name = f"{database.name}-{plain_id()}.sql"
        now = self._clock()
        self._files = {key: each for key, each in self._files.items() if each.until > now}
        self._files[name] = _File("\n".join(answer["dump"]), now + _KEPT_SECONDS)
        return name

    def fetch(self, name: str) -> str | None:
        """The text of an export, None where there is none or not any more."""
        found = self._files.get(name)
        return found.text if found and found.until > self._clock() else None
