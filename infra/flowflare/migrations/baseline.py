"""Compare a database's schema with the schema that its files create.

This is for databases whose tables were created without a ledger, for example by
`wrangler d1 execute --file`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from flowflare.errors import MigrationError
from flowflare.migrations.files import Migration
from flowflare.migrations.ledger import RemoteDatabase
from flowflare.migrations.schema import Schema, select_objects
from flowflare.migrations.statements import split_statements
from flowflare.migrations.triggers import TOKEN, write_statement

_DATA: Final = re.compile(r"(?:INSERT|REPLACE|UPDATE|DELETE|WITH)\b", re.IGNORECASE)

ObjectName = tuple[str, str]


@dataclass(frozen=True)
class SchemaDifference:
    """One table, index, view or trigger that differs between the database and the files.

    Attributes:
        kind: `missing` from the database, `extra` in it, or `different`.
        type: `table`, `index`, `view` or `trigger`.
        database: its definition in the database, None if it is missing there.
        files: the definition that the files create, None if they create none.
    """

    kind: Literal["missing", "extra", "different"]
    type: str
    name: str
    database: str | None
    files: str | None


def read_objects(database: RemoteDatabase) -> dict[ObjectName, str]:
    """Read a database's definitions by type and name, without the ledger's tables."""
    rows = database.query(select_objects(database.table))
    return _group_by_name((row["type"], row["name"], row["sql"]) for row in rows)


def compute_objects(migrations: Sequence[Migration]) -> dict[ObjectName, str]:
    """Compute the definitions that files create in an empty database.

    Raises:
        MigrationError: the local SQLite refuses one of their statements.
    """
    with Schema() as schema:
        for file in migrations:
            for statement in split_statements(file.sql):
                refusal = schema.apply(statement.text)
                if refusal:
                    raise MigrationError(
                        f"{file.name}:{statement.line}: SQLite refuses this here: {refusal}",
                        remedy="Without it, the files' result is unknown. Correct the file; see "
                        "also: flowflare migrations lint",
                    )
        return _group_by_name((kind, name, sql) for kind, name, _, sql in schema.objects())


def compare_objects(
    database: Mapping[ObjectName, str], migrations: Sequence[Migration]
) -> tuple[SchemaDifference, ...]:
    """Compare a database's definitions with those of files; empty if they are equal.

    Spaces, comments, the case of words and the quotes around names are ignored.
    """
    files = compute_objects(migrations)
    found = []
    for key in sorted({*database, *files}):
        here, there = database.get(key), files.get(key)
        if here is not None and there is not None and normalise(here) == normalise(there):
            continue
        kind: Literal["missing", "extra", "different"] = "different"
        if here is None or there is None:
            kind = "missing" if here is None else "extra"
        found.append(SchemaDifference(kind, *key, here, there))
    return tuple(found)


def find_match(
    database: Mapping[ObjectName, str], migrations: Sequence[Migration]
) -> Migration | None:
    """Find the last file up to which the files create exactly this database, or None."""
    for count in range(len(migrations), 0, -1):
        try:
            if not compare_objects(database, migrations[:count]):
                return migrations[count - 1]
        except MigrationError:
            continue
    return None


def list_files_with_data(migrations: Sequence[Migration]) -> list[str]:
    """List the files that also change rows, which a comparison of definitions cannot detect."""
    return [
        file.name
        for file in migrations
        if any(_DATA.match(statement.text) for statement in split_statements(file.sql))
    ]


def normalise(sql: str) -> tuple[str, ...]:
    """Split a definition into tokens, without spaces, comments and quotes around names."""
    tokens = []
    for match in TOKEN.finditer(write_statement(sql)):
        kind = match.lastgroup
        if kind in (None, "space"):
            continue
        tokens.append(match.group() if kind == "text" else match.group(kind or 0).lower())
    return tuple(tokens)


def _group_by_name(rows: Iterable[Any]) -> dict[ObjectName, str]:
    return {(kind, name): sql for kind, name, sql in rows if sql is not None}
