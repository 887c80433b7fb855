"""Track the tables, keys and indexes that files create, with SQLite itself within D1's limits.

Statements that define something run in an empty in-memory database. Statements that move rows are
only prepared, so the cost depends only on the definitions. Nothing outside of memory is accessed:
only CREATE, ALTER and DROP run.
"""

import re
import sqlite3
from dataclasses import dataclass
from typing import Final

_DEFINING: Final = re.compile(r"(?:CREATE|ALTER|DROP)\b", re.IGNORECASE)
_CREATED: Final = re.compile(
    r"CREATE\s+(?:TEMP\s+|TEMPORARY\s+|VIRTUAL\s+)?(?:TABLE|VIEW)\s+(?:IF\s+NOT\s+EXISTS\s+)?"
    r"(?:temp\s*\.\s*|main\s*\.\s*)?[\"'`\[]?([^\s\"'`\](.;]+)",
    re.IGNORECASE,
)
_MISSING: Final = re.compile(r"no such table: (?:main\.|temp\.)?(.+)")
_MOVING: Final = re.compile(r"(?:SELECT|INSERT|REPLACE|UPDATE|DELETE|WITH|VALUES)\b", re.IGNORECASE)
# What workerd sets for every database (src/workerd/util/sqlite.c++ of cloudflare/workerd). D1's
# limits page names the ones for columns, parameters, statements and LIKE patterns. Its limit of
# 25,000 instructions is not set: how many a statement needs depends on SQLite's version.
_LIMITS: Final = {
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 100,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 5,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 127,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 100,
}
# SQLite's errors for them, which no other content of a database changes.
_OVER: Final = re.compile(
    r"too many (?:terms in compound SELECT|columns|arguments on function|SQL variables|attached)"
    r"|Expression tree is too large|string or blob too big"
)
# CREATE TABLE AS may compute; this many thousand SQLite instructions are enough for a definition.
_PATIENCE: Final = 2_000
_INTERNAL: Final = (
    "name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'"
)
LEDGER_TABLES: Final = ("d1_migrations", "flowflare_migrations")


def quote_text(text: str) -> str:
    """Write a text as SQL."""
    return "'" + text.replace("'", "''") + "'"


def select_objects(table: str = LEDGER_TABLES[0]) -> str:
    """Return the query for the tables, indexes, views and triggers that files create.

    Args:
        table: wrangler's table of applied migrations. The query leaves it out, and the tables
            of Flowflare, SQLite and D1.
    """
    names = ", ".join(map(quote_text, sorted({*LEDGER_TABLES, table})))
    return (
        "SELECT type, name, tbl_name, sql FROM sqlite_master "  # noqa: S608 -- quoted
        f"WHERE {_INTERNAL} AND tbl_name NOT IN ({names}) ORDER BY type, name;"
    )


#: The query for a database with wrangler's default table.
OBJECTS: Final = select_objects()


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key as `PRAGMA foreign_key_list` returns it.

    Attributes:
        child: the table that has the key.
        columns: its columns in that table.
        parent: the table that it refers to.
        on_delete: `CASCADE`, `SET NULL`, `SET DEFAULT`, `RESTRICT` or `NO ACTION`.
    """

    child: str
    columns: tuple[str, ...]
    parent: str
    on_delete: str

    @property
    def takes_along(self) -> bool:
        """Whether deleting a parent row changes the child's rows instead of being refused."""
        return self.on_delete in ("CASCADE", "SET NULL", "SET DEFAULT")


def is_over_limit(refusal: str) -> bool:
    """Return whether SQLite's error is about one of D1's limits."""
    return _OVER.search(refusal) is not None


class Schema:
    """An empty database with the definitions so far; close it when done."""

    def __init__(self) -> None:
        self._database = sqlite3.connect(":memory:", isolation_level=None)
        for limit, value in _LIMITS.items():
            self._database.setlimit(limit, value)
        self._database.execute("PRAGMA foreign_keys = ON")
        self._keys: list[ForeignKey] | None = None
        self._unknown: set[str] = set()

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def __enter__(self) -> "Schema":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def apply(self, text: str) -> str | None:
        """Run a statement if it defines something; other statements are not run.

        Returns:
            SQLite's error; None if there is none.
        """
        if not _DEFINING.match(text):
            return None
        self._keys = None
        try:
            refusal = self._run(text)
        except ValueError as error:  # a NUL, or a lone surrogate
            refusal = str(error)
        if refusal:
            self.skip(text)
        return refusal

    def refusal(self, text: str) -> str | None:
        """Return SQLite's error for a statement. A statement that moves rows is only prepared."""
        if not _MOVING.match(text):
            return self.apply(text)
        try:
            return self._run(f"EXPLAIN {text}")
        except ValueError as error:
            return str(error)

    def skip(self, text: str) -> None:
        """Note that a table or view is unknown, because its statement was refused or not run."""
        if created := _CREATED.match(text):
            self._unknown.add(created.group(1).lower())

    def is_unknown(self, refusal: str) -> bool:
        """Return whether an error is about a table that `skip` noted, or one of its shadows."""
        missing = _MISSING.fullmatch(refusal)
        name = missing.group(1).lower() if missing else ""
        return any(name == known or name.startswith(f"{known}_") for known in self._unknown)

    def has_table(self, name: str) -> bool:
        """Return whether a table exists."""
        sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND lower(name) = ?"
        return self._database.execute(sql, (name.lower(),)).fetchone() is not None

    def objects(self) -> list[tuple[str, str, str, str | None]]:
        """List the definitions: type, name, table and SQL of each, sorted."""
        return self._database.execute(OBJECTS).fetchall()

    def keys_to(self, parent: str) -> list[ForeignKey]:
        """List the foreign keys of other tables that refer to a table."""
        wanted = parent.lower()
        return [
            key
            for key in self._foreign_keys()
            if key.parent.lower() == wanted and key.child.lower() != wanted
        ]

    def keys_without_index(self) -> list[ForeignKey]:
        """List the foreign keys whose columns are not the first columns of an index."""
        return [key for key in self._foreign_keys() if not self._is_indexed(key)]

    def _run(self, text: str) -> str | None:
        patience = _PATIENCE

        def weary() -> bool:
            nonlocal patience
            patience -= 1
            return patience < 0

        self._database.set_progress_handler(weary, 1_000)
        try:
            self._database.execute(text)
        except sqlite3.Error as error:
            return str(error)
        finally:
            self._database.set_progress_handler(None, 0)
        return None

    def _foreign_keys(self) -> list[ForeignKey]:
        if self._keys is None:
            names = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            tables = [row[0] for row in self._database.execute(names)]
            self._keys = [key for table in tables for key in self._keys_of(table)]
        return self._keys

    def _keys_of(self, table: str) -> list[ForeignKey]:
        sql = (
            'SELECT id, "table", "from", on_delete FROM pragma_foreign_key_list(?) ORDER BY id, seq'
        )
        found: dict[int, ForeignKey] = {}
        for number, parent, column, on_delete in self._database.execute(sql, (table,)):
            before = found[number].columns if number in found else ()
            found[number] = ForeignKey(table, (*before, column), parent, on_delete)
        return [found[number] for number in sorted(found, reverse=True)]

    def _is_indexed(self, key: ForeignKey) -> bool:
        wanted = {column.lower() for column in key.columns}
        count = len(wanted)
        if any(set(first) == wanted for first in self._index_starts(key.child, count)):
            return True
        sql = "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk"
        primary = [row[0].lower() for row in self._database.execute(sql, (key.child,))]
        return set(primary[:count]) == wanted

    def _index_starts(self, table: str, count: int) -> list[list[str]]:
        starts = []
        indexes = "SELECT name FROM pragma_index_list(?)"
        for (index,) in self._database.execute(indexes, (table,)).fetchall():
            sql = "SELECT name FROM pragma_index_info(?) ORDER BY seqno LIMIT ?"
            rows = self._database.execute(sql, (index, count))
            starts.append([(name or "").lower() for (name,) in rows])
        return starts
