"""Name what was changed in a database by hand, and write the SQL that undoes or adopts it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from flowflare.migrations.baseline import SchemaDifference, normalise
from flowflare.migrations.triggers import TOKEN

# The parts of a CREATE TABLE that are not columns begin with one of these words.
_CONSTRAINTS: Final = frozenset({"constraint", "primary", "unique", "check", "foreign"})
_CREATE: Final = re.compile(
    r"CREATE\s+(UNIQUE\s+INDEX|TABLE|INDEX|VIEW|TRIGGER)\s+(?!IF\b)", re.IGNORECASE
)


@dataclass(frozen=True)
class HandMade:
    """A part of a database that differs from what the files create.

    Attributes:
        path: where, such as `table["items"].column["note"]`.
        name: the same in words: `column note of table items`.
        difference: the difference; for a column, its definitions.
        undo: the SQL that makes the database what the files create; empty if a table must be
            rebuilt.
        adopt: the SQL for a new file that creates it elsewhere; empty if there is none.
        is_run_again: whether `adopt` also runs on this database, where it changes nothing.
    """

    path: str
    name: str
    difference: SchemaDifference
    undo: str = ""
    adopt: str = ""
    is_run_again: bool = False


def describe_difference(found: SchemaDifference) -> Iterator[HandMade]:
    """Describe a difference; a table that only differs in columns is described by column."""
    columns = list(_compare_columns(found)) if found.type == "table" else []
    if columns:
        yield from columns
        return
    drop = f"DROP {found.type.upper()} {_quote(found.name)};"
    create = f"{(found.files or '').rstrip(';')};"
    if found.kind == "extra":
        adopt = _CREATE.sub(r"CREATE \1 IF NOT EXISTS ", f"{found.database};", count=1)
        undo, is_run_again = drop, "IF NOT EXISTS" in adopt.upper()
    else:
        # A table that differs in more than its columns has to be rebuilt with its rows.
        undo = create if found.kind == "missing" else f"{drop} {create}"
        undo = "" if (found.kind, found.type) == ("different", "table") else undo
        adopt, is_run_again = "", False
    path, name = f'{found.type}["{found.name}"]', f"{found.type} {found.name}"
    yield HandMade(path, name, found, undo, adopt, is_run_again)


def _compare_columns(found: SchemaDifference) -> Iterator[HandMade]:
    """Compare a table's columns; empty if more than added and removed columns differ."""
    if found.kind != "different" or found.database is None or found.files is None:
        return
    here, there = _list_parts(found.database), _list_parts(found.files)
    both = here.keys() & there.keys()
    rest = [normalise(here[key]) != normalise(there[key]) for key in both]
    if any(rest) or any(key in _CONSTRAINTS or " " in key for key in here.keys() ^ there.keys()):
        return
    table = _quote(found.name)
    for key in [key for key in (*here, *there) if key not in both]:
        column = (here | there)[key]
        drop = f"ALTER TABLE {table} DROP COLUMN {_quote(key)};"
        add = f"ALTER TABLE {table} ADD COLUMN {column};"
        is_extra = key in here
        yield HandMade(
            path=f'table["{found.name}"].column["{key}"]',
            name=f"column {key} of table {found.name}",
            difference=SchemaDifference(
                "extra" if is_extra else "missing", "column", key, here.get(key), there.get(key)
            ),
            undo=drop if is_extra else add,
            adopt=add if is_extra else "",
        )


def _list_parts(sql: str) -> dict[str, str]:
    """List the columns of a CREATE TABLE by name, and its constraints by their text."""
    parts: list[list[str]] = [[]]
    depth = 0
    for match in TOKEN.finditer(sql):
        word = match.group() if match.lastgroup else " "
        depth -= word == ")"
        if depth == 1 and word == ",":
            parts.append([])
        elif depth > 0:
            parts[-1].append(word)
        depth += word == "("
    found = {}
    for part in parts:
        text = re.sub(r"\s+", " ", "".join(part)).strip()
        tokens = normalise(text)
        if tokens:
            is_column = tokens[0] not in _CONSTRAINTS
            found[tokens[0] if is_column else " ".join(tokens)] = text
    return found


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
