"""Compute what a restore would undo: the files, and the current number of rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from flowflare.errors import MigrationError
from flowflare.migrations.baseline import read_objects
from flowflare.migrations.files import find_named
from flowflare.migrations.ledger import RemoteDatabase
from flowflare.migrations.plan import Applied

# D1 returns at most 100 columns in a row.
_AT_ONCE: Final = 50


@dataclass(frozen=True)
class Destination:
    """The point in time that a database is restored to.

    Attributes:
        words: the point in words.
        undone: the files that were applied after it, oldest first.
        since: the time in UTC after which written rows are lost; None if unknown.
    """

    words: str
    bookmark: str
    undone: tuple[str, ...]
    since: str | None


def find_before_file(applied: Sequence[Applied], file: str) -> Destination:
    """Find the point before a file was applied.

    Args:
        applied: the ledger's rows, oldest first.
        file: the file's name, or its number.

    Raises:
        MigrationError: the file was not applied or has no bookmark, or several have its number.
    """
    names = [row.name for row in applied]
    found = find_named(names, file)
    if not found:
        applied_words = ", ".join(names) or "none"
        raise MigrationError(f"{file}: was not applied", remedy=f"Applied: {applied_words}.")
    if len(found) > 1:
        message = f"{file}: is the number of several files"
        raise MigrationError(message, remedy=f"Give the whole name: {' or '.join(found)}.")
    at = names.index(found[0])
    row = applied[at]
    if row.bookmark is None:
        time = f"{(row.applied_at or '').replace(' ', 'T')}Z"
        raise MigrationError(
            f"{row.name}: has no bookmark, because wrangler or a baseline recorded it",
            remedy=f"Restore to a time: flowflare migrations restore --timestamp {time}",
        )
    undone = tuple(names[at:])
    return Destination(f"before {row.name}", row.bookmark, undone, row.applied_at)


def describe_bookmark(applied: Sequence[Applied], bookmark: str) -> Destination:
    """Describe a bookmark's point in time. Later bookmarks sort after earlier ones."""
    later = [at for at, row in enumerate(applied) if row.bookmark and row.bookmark >= bookmark]
    # A row without its own bookmark was inserted after the row before it.
    undone = tuple(row.name for row in applied[later[0] :]) if later else ()
    same = [row.applied_at for row in applied if row.bookmark == bookmark]
    return Destination(f"bookmark {bookmark}", bookmark, undone, same[0] if same else None)


def describe_time(applied: Sequence[Applied], timestamp: str, bookmark: str) -> Destination:
    """Describe a time, with the bookmark that Time Travel has for it."""
    from datetime import UTC, datetime

    moment = datetime.fromisoformat(timestamp)
    utc = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    since = utc.strftime("%Y-%m-%d %H:%M:%S")
    undone = tuple(row.name for row in applied if row.applied_at and row.applied_at >= since)
    return Destination(f"{since} UTC", bookmark, undone, since)


def count_rows(database: RemoteDatabase, tables: Sequence[str] | None = None) -> dict[str, int]:
    """Count the current rows of each table, by name.

    Args:
        tables: the tables; by default all except the ledger's.

    Raises:
        ApiError: D1 refused. Counting reads every row, which may take too long.
    """
    names = tables
    if names is None:
        names = [name for kind, name in read_objects(database) if kind == "table"]
    counts: dict[str, int] = {}
    for begin in range(0, len(names), _AT_ONCE):
        part = names[begin : begin + _AT_ONCE]
        quoted = ['"' + name.replace('"', '""') + '"' for name in part]
        columns = ", ".join(f"(SELECT count(*) FROM {name}) AS {name}" for name in quoted)  # noqa: S608
        [row] = database.query(f"SELECT {columns};")
        counts |= row
    return counts
