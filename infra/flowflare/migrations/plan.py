"""Decide which migrations a database still needs, and refuse changed history.

Nothing here has side effects: `apply.py` reads the ledger and sends the SQL.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from string import digits
from typing import Literal

from flowflare.errors import MigrationError
from flowflare.migrations.files import Migration, read_number
from flowflare.migrations.statements import split_statements

Kind = Literal["edited", "deleted", "renamed", "reordered", "duplicated"]


@dataclass(frozen=True)
class Applied:
    """One row of the ledger.

    Attributes:
        checksum: of the text that was applied; None if wrangler applied it, which stores none.
        applied_at: the time in UTC, `2026-11-23 14:36:00`; None if it was not read.
        bookmark: the Time Travel bookmark before the file; None if there is none.
    """

    name: str
    checksum: str | None
    applied_at: str | None = field(default=None, compare=False)
    bookmark: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class HistoryProblem:
    """A difference between the files and the applied migrations.

    Attributes:
        file: the applied file, or the new file that conflicts with it.
        message: what is wrong; begins with a file's name.
    """

    kind: Kind
    file: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.message}. {self.remedy}"


def list_pending(
    migrations: Sequence[Migration], applied: Sequence[Applied]
) -> tuple[Migration, ...]:
    """Return the pending migrations, in order.

    Args:
        migrations: all files, in order.
        applied: the ledger's rows, oldest first.

    Raises:
        MigrationError: an applied file was edited, deleted, renamed or copied; reports every
            problem at once.
    """
    problems = find_history_problems(migrations, applied)
    if problems:
        message = "\n".join(problem.message for problem in problems)
        remedy = " ".join(dict.fromkeys(problem.remedy for problem in problems))
        raise MigrationError(message, remedy=remedy)
    known = {row.name for row in applied}
    return tuple(file for file in migrations if file.name not in known)


def sort_as_applied(migrations: Sequence[Migration], names: Iterable[str]) -> list[Migration]:
    """Sort files in the order in which they ran, because wrangler also applies late files.

    Args:
        migrations: files, in order.
        names: the ledger's names, oldest first. A file that is not in the ledger keeps its place
            after the file before it.
    """
    ran = {name: at for at, name in enumerate(names)}
    places, place = {}, -1
    for file in migrations:
        places[file.name] = place = ran.get(file.name, place)
    return sorted(migrations, key=lambda file: places[file.name])


def find_history_problems(
    migrations: Sequence[Migration], applied: Sequence[Applied]
) -> list[HistoryProblem]:
    """Find the differences between the files and the applied migrations."""
    files = {migration.name: migration for migration in migrations}
    known = {row.name: row for row in applied}
    new = [file for file in migrations if file.name not in known]
    moved: dict[str, Migration] = {}
    for row in applied:
        if row.name not in files and row.checksum is not None:
            twin = next((file for file in new if file.has_checksum(row.checksum)), None)
            if twin is not None:
                moved[row.name] = twin
    problems = [
        problem for row in applied for problem in _find_row_problems(row, files, known, moved)
    ]
    claimed = {file.name for file in moved.values()}
    fresh = [file for file in new if file.name not in claimed]
    return [
        *problems,
        *_find_copies(fresh, files, applied),
    ]


def _find_row_problems(
    row: Applied,
    files: Mapping[str, Migration],
    known: Mapping[str, Applied],
    moved: Mapping[str, Migration],
) -> Iterator[HistoryProblem]:
    file = files.get(row.name)
    if file is None and row.name in moved:
        yield _make_moved(row, moved[row.name])
    elif file is None:
        yield HistoryProblem(
            "deleted",
            row.name,
            f"{row.name}: was applied, but the file is missing",
            "Restore the file (git log --diff-filter=D finds it). To undo what it created, write a "
            "new file.",
        )
    elif row.checksum is not None and not file.has_checksum(row.checksum):
        others = [other.name for other in known.values() if file.has_checksum(other.checksum)]
        yield _make_edited(row, others)


def _make_moved(row: Applied, file: Migration) -> HistoryProblem:
    number = read_number(row.name)
    if number and file.name.lstrip(digits) == row.name.lstrip(digits):
        return HistoryProblem(
            "reordered",
            row.name,
            f"{row.name}: was applied under this number, but is now {file.name}",
            f"Restore its number {number}: applied files keep their numbers.",
        )
    return HistoryProblem(
        "renamed",
        row.name,
        f"{row.name}: was applied under this name, but is now {file.name}",
        f"Rename it back to {row.name}: wrangler would apply it again under another name.",
    )


def _make_edited(row: Applied, others: Sequence[str]) -> HistoryProblem:
    if others:
        return HistoryProblem(
            "reordered",
            row.name,
            f"{row.name}: now has the text that was applied as {others[0]}",
            "Restore both files: applied files keep their numbers.",
        )
    return HistoryProblem(
        "edited",
        row.name,
        f"{row.name}: was edited after it was applied",
        "Restore it (git log -p shows the old text), and write the change into a new file.",
    )


def _find_copies(
    fresh: Sequence[Migration], files: Mapping[str, Migration], applied: Sequence[Applied]
) -> Iterator[HistoryProblem]:
    texts = {
        files[row.name].checksum: row.name
        for row in reversed(applied)
        if row.name in files and files[row.name].has_checksum(row.checksum)
    }
    for file in fresh:
        if file.checksum in texts and split_statements(file.sql):
            original = texts[file.checksum]
            yield HistoryProblem(
                "duplicated",
                file.name,
                f"{file.name}: has the same text as {original}, which was already applied",
                "Delete it. If it must run again, say so in a comment in it.",
            )
