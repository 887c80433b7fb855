"""Loads an exported database into SQLite and counts what is in it: the proof that it restores."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from flowflare.errors import FleetError

#: Every table of a database but SQLite's own and Cloudflare's.
TABLES: Final = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    " AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' ORDER BY name"
)


def load(sql: Path, into: Path) -> None:
    """Runs the statements of an export in a new SQLite database, one after the other.

    Args:
        sql: the export's file.
        into: the database's file, which must not be there.

    Raises:
        FleetError: SQLite refuses a statement, or the last one has no end.
    """
    with closing(sqlite3.connect(into, isolation_level=None)) as database:
        # Nobody needs a database that a crash leaves half loaded.
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        for line, statement in _statements(sql):
            try:
                database.execute(statement)
            except sqlite3.Error as error:
                raise FleetError(f"{sql.name}:{line}: SQLite refuses it: {error}") from None


def count(sql: Path, scratch: Path) -> dict[str, int]:
    """How many rows each table of an export has, when it is loaded.

    Args:
        sql: the export's file.
        scratch: a folder for the database, which is removed again.

    Raises:
        FleetError: it does not load.
    """
    file = scratch / f"{sql.name}.sqlite"
    try:
        load(sql, file)
        with closing(sqlite3.connect(file)) as database:
            names = [name for (name,) in database.execute(TABLES)]
            return {name: _rows(database, name) for name in names}
    finally:
        file.unlink(missing_ok=True)


def _rows(database: sqlite3.Connection, table: str) -> int:
    quoted = '"' + table.replace('"', '""') + '"'
    [(rows,)] = database.execute(f"SELECT count(*) FROM {quoted}")  # noqa: S608 -- quoted
    return int(rows)


def _statements(sql: Path) -> Iterator[tuple[int, str]]:
    """The statements of a file with the lines that they begin in; values may hold line ends."""
    text, begin = "", 1
    with sql.open(encoding="utf-8", newline="") as file:
        for number, line in enumerate(file, 1):
            text += line
            # Looking through a long value at each of its lines would take the square of its length.
            if line.rstrip().endswith(";") and sqlite3.complete_statement(text):
                yield begin, text
                text, begin = "", number + 1
    if text.strip():
        if not sqlite3.complete_statement(text + ";"):
            raise FleetError(f"{sql.name}:{begin}: the last statement has no end: it is cut off")
        yield begin, text
