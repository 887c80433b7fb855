"""Load an exported database into SQLite and measure its contents, to verify that it restores.

The same statements measure the database in D1. For each table they count the rows, the bytes of all
values, and the sum of the lowest bits of all integers. A missing row, a truncated text or a rounded
number gives another measure.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from flowflare.errors import FleetError

#: Lists every table of a database, except SQLite's and Cloudflare's own.
TABLES: Final = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    " AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' ORDER BY name"
)
#: Runs a statement and returns its rows.
Query = Callable[[str], Sequence[Mapping[str, Any]]]
#: Column names by table.
Columns = Mapping[str, Sequence[str]]
# D1 allows 100 columns in a row, and about 100 terms in an expression.
_BATCH: Final = 50
_TERMS: Final = 30


def load(sql: Path, into: Path) -> None:
    """Run the statements of an export one by one in a new SQLite database.

    Args:
        into: the database's file, which must not exist.

    Raises:
        FleetError: SQLite refuses a statement, or the last statement is incomplete.
    """
    with closing(sqlite3.connect(into, isolation_level=None)) as database:
        # A database that is half loaded after a crash is thrown away, so it needs no journal.
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        for line, statement in _split_statements(sql):
            try:
                database.execute(statement)
            except sqlite3.Error as error:
                raise FleetError(f"{sql.name}:{line}: SQLite refuses it: {error}") from None


def measure_export(sql: Path, scratch: Path) -> tuple[Columns, dict[str, str]]:
    """Load an export and measure it.

    Returns:
        The columns of its tables, and the measures.

    Raises:
        FleetError: the export does not load.
    """
    file = scratch / f"{sql.name}.sqlite"
    try:
        load(sql, file)
        with closing(sqlite3.connect(file)) as database:
            database.row_factory = sqlite3.Row

            def query(text: str) -> list[Mapping[str, Any]]:
                return [dict(row) for row in database.execute(text)]

            tables = [str(row["name"]) for row in query(TABLES)]
            columns = {table: _list_columns(query, table) for table in tables}
            return columns, measure(query, columns)
    finally:
        file.unlink(missing_ok=True)


def measure(query: Query, columns: Columns) -> dict[str, str]:
    """Measure a database in SQLite or D1; equal contents have equal measures."""
    wanted = list(_make_subqueries(columns).items())
    found: dict[str, str] = {}
    for begin in range(0, len(wanted), _BATCH):
        part = wanted[begin : begin + _BATCH]
        selected = ", ".join(f"({sql}) AS m{number}" for number, (_, sql) in enumerate(part))
        [row] = query(f"SELECT {selected}")
        found |= {name: str(row[f"m{number}"]) for number, (name, _) in enumerate(part)}
    return found


def rows_of(found: Mapping[str, str]) -> dict[str, int]:
    """Return the number of rows of each table, from its measures."""
    counts = {name: text.partition(" ")[0] for name, text in found.items() if "\0" not in name}
    return {name: int(count) for name, count in counts.items()}


def _list_columns(query: Query, table: str) -> list[str]:
    text = table.replace("'", "''")
    found = query(f"SELECT name FROM pragma_table_info('{text}')")  # noqa: S608 -- quoted
    return [str(row["name"]) for row in found]


def _make_subqueries(columns: Columns) -> dict[str, str]:
    """Make the subqueries that measure the tables, by table name.

    A table with more than `_TERMS` columns has further subqueries, whose keys end with a number.
    """
    found = {}
    for table, names in columns.items():
        for number, begin in enumerate(range(0, max(len(names), 1), _TERMS)):
            quoted = [_quote(name) for name in names[begin : begin + _TERMS]]
            size = " + ".join(f"coalesce(length(CAST({name} AS BLOB)), 0)" for name in quoted)
            low = " + ".join(
                f"iif(typeof({name}) = 'integer', {name} & 1048575, 0)" for name in quoted
            )
            sums = "".join(f" || ' ' || coalesce(sum({term}), 0)" for term in (size, low) if term)
            key = table if number == 0 else f"{table}\0{number}"
            found[key] = f"SELECT count(*){sums} FROM {_quote(table)}"  # noqa: S608 -- quoted
    return found


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _split_statements(sql: Path) -> Iterator[tuple[int, str]]:
    """Split a file into statements, each with its first line; values may contain line breaks."""
    text, begin = "", 1
    with sql.open(encoding="utf-8", newline="") as file:
        for number, line in enumerate(file, 1):
            text += line
            # Checking after every line would take quadratic time for a value with many lines.
            if line.rstrip().endswith(";") and sqlite3.complete_statement(text):
                yield begin, text
                text, begin = "", number + 1
    if text.strip():
        if not sqlite3.complete_statement(text + ";"):
            raise FleetError(f"{sql.name}:{begin}: the last statement is incomplete")
        yield begin, text
