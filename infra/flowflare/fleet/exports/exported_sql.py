"""Loads an exported database into SQLite and measures what is in it: the proof that it restores.

The same statements measure the database in D1: of each table the rows, the bytes of all values and
the lowest bits of all integers, so that a row that is missing, a text that is cut off and a number
that was rounded on its way are found.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from flowflare.errors import FleetError

#: Every table of a database but SQLite's own and Cloudflare's.
TABLES: Final = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    " AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' ORDER BY name"
)
#: Runs a statement and gives its rows.
Query = Callable[[str], Sequence[Mapping[str, Any]]]
#: The names of each table's columns.
Columns = Mapping[str, Sequence[str]]
# D1 gives a row 100 columns, and an expression about as many terms.
_AT_ONCE: Final = 50
_TERMS: Final = 30


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


def measured(sql: Path, scratch: Path) -> tuple[Columns, dict[str, str]]:
    """Loads an export and measures it.

    Args:
        sql: the export's file.
        scratch: a folder for the database, which is removed again.

    Returns:
        The columns of its tables, and the measures.

    Raises:
        FleetError: it does not load.
    """
    file = scratch / f"{sql.name}.sqlite"
    try:
        load(sql, file)
        with closing(sqlite3.connect(file)) as database:
            database.row_factory = sqlite3.Row

            def query(text: str) -> list[Mapping[str, Any]]:
                return [dict(row) for row in database.execute(text)]

            columns = {str(row["name"]): _columns(query, str(row["name"])) for row in query(TABLES)}
            return columns, measures(query, columns)
    finally:
        file.unlink(missing_ok=True)


def measures(query: Query, columns: Columns) -> dict[str, str]:
    """Measures a database, here or in D1: equal contents have equal measures.

    Args:
        query: runs a statement in it.
        columns: the columns of its tables.
    """
    wanted = list(_subqueries(columns).items())
    found: dict[str, str] = {}
    for begin in range(0, len(wanted), _AT_ONCE):
        part = wanted[begin : begin + _AT_ONCE]
        selected = ", ".join(f"({sql}) AS m{number}" for number, (_, sql) in enumerate(part))
        [row] = query(f"SELECT {selected}")
        found |= {name: str(row[f"m{number}"]) for number, (name, _) in enumerate(part)}
    return found


def rows_of(found: Mapping[str, str]) -> dict[str, int]:
    """The rows of each table, by measures."""
    counts = {name: text.partition(" ")[0] for name, text in found.items() if "\0" not in name}
    return {name: int(count) for name, count in counts.items()}


def _columns(query: Query, table: str) -> list[str]:
    text = table.replace("'", "''")
    found = query(f"SELECT name FROM pragma_table_info('{text}')")  # noqa: S608 -- quoted
    return [str(row["name"]) for row in found]


def _subqueries(columns: Columns) -> dict[str, str]:
    """What measures each table; one of many columns has several, after the first with a number."""
    found = {}
    for table, names in columns.items():
        for number, begin in enumerate(range(0, max(len(names), 1), _TERMS)):
            quoted = [_quoted(name) for name in names[begin : begin + _TERMS]]
            size = " + ".join(f"coalesce(length(CAST({name} AS BLOB)), 0)" for name in quoted)
            low = " + ".join(
                f"iif(typeof({name}) = 'integer', {name} & 1048575, 0)" for name in quoted
            )
            sums = "".join(f" || ' ' || coalesce(sum({one}), 0)" for one in (size, low) if one)
            key = table if number == 0 else f"{table}\0{number}"
            found[key] = f"SELECT count(*){sums} FROM {_quoted(table)}"  # noqa: S608 -- quoted
    return found


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


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
