"""Read and write the ledger of a D1 database: wrangler's table, and ours beside it.

`d1_migrations`, or the table that `migrationsTable` names, is exactly wrangler's table, so that
wrangler can still be used. Checksums and Time Travel bookmarks are stored in
`flowflare_migrations`. A migration that wrangler applied has no row there.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from flowflare.api import Client
from flowflare.errors import ApiError, MigrationError
from flowflare.migrations.files import Migration
from flowflare.migrations.plan import Applied
from flowflare.migrations.replay import find_refused_statement
from flowflare.migrations.schema import LEDGER_TABLES, quote_text
from flowflare.migrations.statements import cut_statements
from flowflare.migrations.triggers import write_statement

#: wrangler's table, unless its `migrations_table` names another one.
DEFAULT_TABLE: Final = LEDGER_TABLES[0]
_OURS: Final = LEDGER_TABLES[1]
_ORDINARY: Final = re.compile(r"[a-z_][a-z0-9_]*_migrations")
# wrangler's statement, from its source (packages/wrangler/src/d1/migrations/helpers.ts).
_CREATE: Final = """\
CREATE TABLE IF NOT EXISTS {table}(
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
_SELECT: Final = """\
SELECT ledger.name AS name, flowflare_migrations.checksum AS checksum,
    flowflare_migrations.bookmark AS bookmark, ledger.applied_at AS applied_at
FROM {table} AS ledger LEFT JOIN flowflare_migrations USING (name)
ORDER BY ledger.id;
"""
_SELECT_WRANGLERS: Final = """\
SELECT name, NULL AS checksum, NULL AS bookmark, applied_at FROM {table} ORDER BY id;
"""
_MOVE: Final = """\
INSERT OR IGNORE INTO {table} (name, applied_at) SELECT name, applied_at FROM {old} ORDER BY id;
DROP TABLE {old};
"""


class RemoteDatabase:
    """One D1 database over Cloudflare's API.

    Args:
        table: its table of applied migrations; by default wrangler's.

    Attributes:
        table: its table of applied migrations.
    """

    def __init__(
        self, client: Client, account_id: str, database_id: str, table: str | None = None
    ) -> None:
        self._client = client
        self.table = table or DEFAULT_TABLE
        self._path = f"/accounts/{account_id}/d1/database/{database_id}"

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Run statements as one unit, all or none, and return the rows of the last statement.

        Raises:
            ApiError: D1 refused them, and none took effect.
        """
        answers = self._client.call("POST", f"{self._path}/query", body={"sql": sql})
        rows: list[dict[str, Any]] = answers[-1]["results"] if answers else []
        return rows

    def read_bookmark(self, timestamp: str | None = None) -> str | None:
        """Get the Time Travel bookmark of a time, None if the database has no Time Travel.

        Args:
            timestamp: the time, RFC 3339; None for now.

        Raises:
            ApiError: there was no response, or Time Travel does not reach the given time.
        """
        query = {"timestamp": timestamp} if timestamp else None
        try:
            answer = self._client.call("GET", f"{self._path}/time_travel/bookmark", query=query)
        except ApiError as error:
            if error.status in (400, 404, 501) and timestamp is None:
                return None
            raise
        return str(answer["bookmark"])

    def restore(self, bookmark: str) -> str:
        """Restore the database, including its ledger, to a bookmark.

        Returns:
            The bookmark of the time before the restore, which undoes it.

        Raises:
            ApiError: Time Travel does not reach the bookmark.
        """
        query = {"bookmark": bookmark}
        path = f"{self._path}/time_travel/restore"
        return str(self._client.call("POST", path, query=query)["previous_bookmark"])


def read_ledger(database: RemoteDatabase) -> tuple[Applied, ...]:
    """Read the applied migrations, oldest first, without changing the database."""
    tables = {row["name"] for row in database.query(select_tables(database.table))}
    if database.table not in tables:
        return ()
    sql = _SELECT if _OURS in tables else _SELECT_WRANGLERS
    return _read_rows(database.query(_fill(sql, database)))


def open_ledger(database: RemoteDatabase) -> tuple[Applied, ...]:
    """Create the ledger's tables if they are missing, and return the applied migrations."""
    return _read_rows(database.query(_fill(_CREATE + _SELECT, database)))


def move_ledger(database: RemoteDatabase, old: str) -> None:
    """Move the rows of another table into the database's own as one unit, and drop that table.

    Args:
        database: the database, with the table that is used from now on.
        old: the table that was used before.
    """
    if old != database.table and database.query(select_tables(old)):
        database.query(_fill(_CREATE + _MOVE, database, old=quote_name(old)))


def select_tables(table: str) -> str:
    """Return the query for the names of the ledger's tables that exist.

    Args:
        table: wrangler's table.
    """
    return (
        "SELECT name FROM sqlite_master WHERE type = 'table' "  # noqa: S608 -- quoted
        f"AND name IN ({quote_text(table)}, {quote_text(_OURS)});\n"
    )


def quote_name(name: str) -> str:
    """Write a table's name as SQL."""
    return name if _ORDINARY.fullmatch(name) else '"' + name.replace('"', '""') + '"'


def _fill(sql: str, database: RemoteDatabase, **names: str) -> str:
    return sql.format(table=quote_name(database.table), **names)


def apply(
    database: RemoteDatabase,
    migration: Migration,
    *,
    bookmark: str | None,
    before: Sequence[Migration] = (),
) -> None:
    """Apply one file and record it, as one unit.

    Args:
        database: the database, whose ledger has its tables.
        bookmark: the Time Travel bookmark before the file.
        before: the files before it, used to find the statement that D1 refused.

    Raises:
        MigrationError: D1 refused the SQL, and the database is unchanged.
        ApiError: there was no response, or an error that is not about the SQL. The ledger shows
            whether the file was applied.
    """
    name, table = quote_text(migration.name), quote_name(database.table)
    note = f"INSERT INTO {table} (name) VALUES ({name});\n"  # noqa: S608 -- quoted
    sql = write_file(migration.sql) + note + _write_notes([migration], bookmark)
    try:
        database.query(sql)
    except ApiError as error:
        if error.status != 400:
            raise
        if Applied(migration.name, migration.checksum) in read_ledger(database):
            # The file was applied but the response was lost; D1 refused the client's retry.
            return
        reason = error.message.partition("HTTP 400: ")[2]
        message = f"{migration.name}: the SQL failed: {reason}{_locate(migration, before, reason)}"
        remedy = "The database is as it was before this file. Correct the file and run again."
        raise MigrationError(message, remedy=remedy) from error


def _locate(migration: Migration, before: Sequence[Migration], reason: str) -> str:
    found = find_refused_statement(before, migration, reason)
    if found is None:
        return ""
    first, *rest = found.text.splitlines()
    return f"\n  line {found.line}: {first}{' ...' if rest else ''}"


def rewrite(
    database: RemoteDatabase, applied: Sequence[Applied], files: Sequence[Migration]
) -> None:
    """Rewrite the ledger as one unit: these files, in this order.

    Args:
        applied: the current rows. Files that are already in the ledger keep their time and
            bookmark.
        files: the files that count as applied.
    """
    rows = {row.name: row for row in applied}
    table = quote_name(database.table)
    deletes = [f"DELETE FROM {name};\n" for name in (table, _OURS)]  # noqa: S608 -- quoted
    sql = "".join([_fill(_CREATE, database), *deletes])
    for file in files:
        row = rows.get(file.name)
        time = quote_text(row.applied_at) if row and row.applied_at else "CURRENT_TIMESTAMP"
        values = f"{quote_text(file.name)}, {time}"
        sql += f"INSERT INTO {table} (name, applied_at) VALUES ({values});\n"  # noqa: S608
        sql += _write_notes([file], row.bookmark if row else None)
    database.query(sql)


def note_checksums(database: RemoteDatabase, migrations: Sequence[Migration]) -> None:
    """Record the checksums of files that wrangler applied."""
    if migrations:
        database.query(_write_notes(migrations, None))


def _write_notes(migrations: Sequence[Migration], bookmark: str | None) -> str:
    mark = quote_text(bookmark) if bookmark else "NULL"
    rows = ", ".join(
        f"({quote_text(migration.name)}, {quote_text(migration.checksum)}, {mark})"
        for migration in migrations
    )
    return (
        "INSERT INTO flowflare_migrations (name, checksum, bookmark) "  # noqa: S608 -- quoted
        f"VALUES {rows};\n"
    )


def _read_rows(rows: Sequence[dict[str, Any]]) -> tuple[Applied, ...]:
    return tuple(
        Applied(row["name"], row["checksum"], row["applied_at"], row["bookmark"]) for row in rows
    )


def write_file(sql: str) -> str:
    """Write a file in a form that D1 accepts and that the ledger's insert can follow."""
    cut = [(comments, write_statement(text)) for comments, text in cut_statements(sql)]
    last = next((text.rstrip() for _, text in reversed(cut) if text), ";")
    # A file of comments stays unchanged: D1 refuses an empty statement.
    end = "\n" if last.endswith(";") else "\n;\n"
    return "".join(f"{comments}{text}" for comments, text in cut).rstrip() + end
