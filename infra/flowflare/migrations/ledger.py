"""The ledger of a D1 database: wrangler's table, and one of ours beside it.

`d1_migrations` is exactly wrangler's, so that wrangler stays usable. Checksums and Time Travel
bookmarks stand in `flowflare_migrations`; a row that only wrangler wrote has none.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any

from flowflare.api import Client
from flowflare.errors import ApiError, MigrationError
from flowflare.migrations.files import Migration
from flowflare.migrations.plan import Applied
from flowflare.migrations.statements import at_fault

# wrangler's statement, from its source (packages/wrangler/src/d1/migrations/helpers.ts).
_CREATE = """\
CREATE TABLE IF NOT EXISTS d1_migrations(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT UNIQUE,
    applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
);
CREATE TABLE IF NOT EXISTS flowflare_migrations(
    name TEXT PRIMARY KEY,
    checksum TEXT NOT NULL,
    bookmark TEXT,
    applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
);
"""
_SELECT = """\
SELECT d1_migrations.name AS name, flowflare_migrations.checksum AS checksum
FROM d1_migrations LEFT JOIN flowflare_migrations USING (name)
ORDER BY d1_migrations.id;
"""
_TABLES = """\
SELECT count(*) AS tables FROM sqlite_master
WHERE type = 'table' AND name IN ('d1_migrations', 'flowflare_migrations');
"""


class Database:
    """One D1 database over Cloudflare's API.

    Args:
        client: the API.
        account_id: the account.
        database_id: the database.
    """

    def __init__(self, client: Client, account_id: str, database_id: str) -> None:
        self._client = client
        self._path = f"/accounts/{account_id}/d1/database/{database_id}"

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Runs statements as one unit: all of them or none. Returns the last one's rows.

        Raises:
            ApiError: D1 refused them; nothing of them was done.
        """
        answers = self._client.call("POST", f"{self._path}/query", body={"sql": sql})
        rows: list[dict[str, Any]] = answers[-1]["results"] if answers else []
        return rows

    def bookmark(self) -> str | None:
        """The Time Travel bookmark of this moment, None where the database has no Time Travel."""
        try:
            answer = self._client.call("GET", f"{self._path}/time_travel/bookmark")
        except ApiError as error:
            if error.status in (400, 404, 501):
                return None
            raise
        return str(answer["bookmark"])


def read_ledger(database: Database) -> tuple[Applied, ...]:
    """What the database has had, oldest first; changes nothing in it."""
    [found] = database.query(_TABLES)
    if found["tables"] < 2:
        return ()
    return _rows(database.query(_SELECT))


def open_ledger(database: Database) -> tuple[Applied, ...]:
    """Makes the ledger's tables where they are missing; returns what the database has had."""
    return _rows(database.query(_CREATE + _SELECT))


def apply(database: Database, migration: Migration, *, bookmark: str | None) -> None:
    """Applies one file and notes it, as one unit.

    Args:
        database: the database, its ledger open.
        migration: the file.
        bookmark: where Time Travel can go back to.

    Raises:
        MigrationError: D1 refused the SQL; the database is as it was.
        ApiError: no answer, or one that is not about the SQL; the ledger tells what was done.
    """
    name = _quoted(migration.name)
    note = f"INSERT INTO d1_migrations (name) VALUES ({name});\n"  # noqa: S608 -- quoted
    sql = _ended(migration.sql) + note + _noted([migration], bookmark)
    try:
        database.query(sql)
    except ApiError as error:
        if error.status != 400:
            raise
        if Applied(migration.name, migration.checksum) in read_ledger(database):
            # It was done and the answer got lost: this refusal is for the client's repetition.
            return
        reason = error.message.partition("HTTP 400: ")[2]
        message = f"{migration.name}: the SQL failed: {reason}{_where(migration.sql, reason)}"
        remedy = "The database is as it was before this file. Correct the file and run again."
        raise MigrationError(message, remedy=remedy) from error


def _where(sql: str, reason: str) -> str:
    found = at_fault(sql, reason)
    if found is None:
        return ""
    first, *rest = found.text.splitlines()
    return f"\n  line {found.line}: {first}{' ...' if rest else ''}"


def note_checksums(database: Database, migrations: Sequence[Migration]) -> None:
    """Notes the checksums of files that wrangler applied."""
    if migrations:
        database.query(_noted(migrations, None))


def _noted(migrations: Sequence[Migration], bookmark: str | None) -> str:
    mark = _quoted(bookmark) if bookmark else "NULL"
    rows = ", ".join(
        f"({_quoted(migration.name)}, {_quoted(migration.checksum)}, {mark})"
        for migration in migrations
    )
    return (
        "INSERT INTO flowflare_migrations (name, checksum, bookmark) "  # noqa: S608 -- quoted
        f"VALUES {rows};\n"
    )


def _rows(rows: Sequence[dict[str, Any]]) -> tuple[Applied, ...]:
    return tuple(Applied(row["name"], row["checksum"]) for row in rows)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _ended(sql: str) -> str:
    """The SQL with its last statement ended, so that the ledger's insert can follow it."""
    sql = sql.rstrip() + "\n"
    return sql if sqlite3.complete_statement(sql) else f"{sql};\n"
