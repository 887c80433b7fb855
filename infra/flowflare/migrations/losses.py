"""Tells what going back in time would undo: files, and how many rows there are now."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from flowflare.errors import MigrationError
from flowflare.migrations.baseline import read_objects
from flowflare.migrations.ledger import Database
from flowflare.migrations.plan import Applied

# D1 gives a row 100 columns.
_AT_ONCE: Final = 50


@dataclass(frozen=True)
class Destination:
    """Where a database is to go back to.

    Attributes:
        words: the moment in words.
        bookmark: the moment as Time Travel knows it.
        undone: the files that were applied after it, oldest first.
        since: the time in UTC that all rows written after are lost from; None where it is not
            known.
    """

    words: str
    bookmark: str
    undone: tuple[str, ...]
    since: str | None


def before_file(applied: Sequence[Applied], file: str) -> Destination:
    """The moment before a file was applied.

    Args:
        applied: the ledger's rows, oldest first.
        file: the file's name, or its number.

    Raises:
        MigrationError: it was not applied, or nothing was kept to go back to.
    """
    names = [row.name for row in applied]
    found = [at for at, name in enumerate(names) if name == file or name[:4] == file]
    if not found:
        applied_words = ", ".join(names) or "none"
        raise MigrationError(f"{file}: was not applied", remedy=f"Applied: {applied_words}.")
    row = applied[found[0]]
    if row.bookmark is None:
        time = f"{(row.applied_at or '').replace(' ', 'T')}Z"
        raise MigrationError(
            f"{row.name}: no bookmark was kept: wrangler or a baseline noted it",
            remedy=f"Go back to a time: flowflare migrations restore --timestamp {time}",
        )
    undone = tuple(names[found[0] :])
    return Destination(f"before {row.name}", row.bookmark, undone, row.applied_at)


def at_bookmark(applied: Sequence[Applied], bookmark: str) -> Destination:
    """The moment of a bookmark; later ones sort after earlier ones."""
    later = [at for at, row in enumerate(applied) if row.bookmark and row.bookmark >= bookmark]
    # A row without a bookmark of its own went in after the one before it.
    undone = tuple(row.name for row in applied[later[0] :]) if later else ()
    same = [row.applied_at for row in applied if row.bookmark == bookmark]
    return Destination(f"bookmark {bookmark}", bookmark, undone, same[0] if same else None)


def at_time(applied: Sequence[Applied], timestamp: str, bookmark: str) -> Destination:
    """A moment by the clock, with the bookmark that Time Travel has of it."""
    from datetime import UTC, datetime

    moment = datetime.fromisoformat(timestamp)
    utc = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    since = utc.strftime("%Y-%m-%d %H:%M:%S")
    undone = tuple(row.name for row in applied if row.applied_at and row.applied_at >= since)
    return Destination(f"{since} UTC", bookmark, undone, since)


def count_rows(database: Database, tables: Sequence[str] | None = None) -> dict[str, int]:
    """How many rows each table has now, by name.

    Args:
        database: the database.
        tables: which; by default all but the ledger's.

    Raises:
        ApiError: D1 refused; counting reads every row, which may take it too long.
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
