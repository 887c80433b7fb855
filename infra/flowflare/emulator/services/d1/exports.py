"""Export databases as SQL: a client requests an export, polls until it exists, and fetches it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flowflare.emulator import codes
from flowflare.emulator.clock import plain_id
from flowflare.emulator.runtime.contract import Runtime
from flowflare.emulator.services.d1 import queries
from flowflare.emulator.services.d1.store import D1Database

_SECONDS_TO_LIVE = 3600
# Miniflare's own command to dump a database, statement by statement.
_DUMP = "PRAGMA miniflare_d1_export(?,?,?);"
_VIRTUAL = "SELECT count(*) FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL TABLE%'"


@dataclass(frozen=True)
class Options:
    """Select what an export contains: all tables unless some are named."""

    tables: tuple[str, ...]
    no_schema: bool
    no_data: bool


@dataclass(frozen=True)
class _File:
    text: str
    until: float


class Exports:
    """Hold running exports, by the bookmark that clients poll with, and finished ones.

    Args:
        clock: returns seconds since any fixed moment.
    """

    def __init__(self, runtime: Runtime, clock: Callable[[], float] = time.monotonic) -> None:
        self._runtime = runtime
        self._clock = clock
        self._requested: dict[str, Options] = {}
        self._files: dict[str, _File] = {}

    def request(self, bookmark: str, body: dict[str, Any]) -> None:
        """Register an export, which is created when the client polls for it.

        Raises:
            Refusal: 7400, the request is invalid.
        """
        if body.get("output_format") != "polling":
            raise codes.invalid_property("output_format: Invalid literal value, expected 'polling'")
        requested = body.get("dump_options") or {}
        tables = requested.get("tables") or [] if isinstance(requested, dict) else None
        if not isinstance(tables, list) or not all(isinstance(table, str) for table in tables):
            raise codes.invalid_property("dump_options.tables: Expected array of strings")
        no_schema, no_data = bool(requested.get("no_schema")), bool(requested.get("no_data"))
        if no_schema and no_data:
            raise codes.invalid_property("dump_options: no_schema and no_data leave nothing")
        self._requested[bookmark] = Options(tuple(tables), no_schema, no_data)

    async def make(self, database: D1Database, bookmark: str) -> str:
        """Create a registered export and return the name of its file.

        Raises:
            Refusal: 7400 no export is registered with that bookmark, 7500 with SQLite's error, or
                the database has virtual tables, which D1 does not export.
        """
        options = self._requested.pop(bookmark, None)
        if options is None:
            raise codes.invalid_property("current_bookmark: not currently exporting anything")
        counted = await queries.run(self._runtime, database, [queries.Statement(_VIRTUAL)])
        if counted[0]["results"]["rows"][0][0]:
            raise codes.query_failed(
                "D1 Export error: cannot export databases with Virtual Tables (fts5)"
            )
        params = [int(options.no_schema), int(options.no_data), *options.tables]
        answer = await self._runtime.query(database.uuid, [{"sql": _DUMP, "params": params}])
        if "error" in answer:
            raise codes.query_failed(answer["error"])
        name = f"{database.name}-{plain_id()}.sql"
        now = self._clock()
        self._files = {key: file for key, file in self._files.items() if file.until > now}
        self._files[name] = _File("\n".join(answer["dump"]), now + _SECONDS_TO_LIVE)
        return name

    def fetch(self, name: str) -> str | None:
        """Return the text of an export, or None if it does not exist or has expired."""
        file = self._files.get(name)
        return file.text if file and file.until > self._clock() else None
