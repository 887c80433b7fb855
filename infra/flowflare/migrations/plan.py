"""Decide which migrations a database still needs, and refuse changed history.

Nothing here has side effects: `apply.py` reads the ledger and sends the SQL.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from flowflare.errors import MigrationError
from flowflare.migrations.files import Migration
from flowflare.migrations.statements import split_statements

Kind = Literal["edited", "deleted", "renamed", "reordered", "merged", "late", "duplicated"]


@dataclass(frozen=True)
class Applied:
    """One row of the ledger.

    Attributes:
        name: the migration's file name.
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
        kind: the kind of difference.
        file: the applied file, or the new file that conflicts with it.
        message: what is wrong; begins with a file's name.
        remedy: what to do.
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
        MigrationError: an applied file was edited, deleted, renamed or moved, or a new file has a
            number that can no longer run; reports every problem at once.
    """
    problems = find_history_problems(migrations, applied)
    if problems:
        message = "\n".join(problem.message for problem in problems)
        remedy = " ".join(dict.fromkeys(problem.remedy for problem in problems))
        raise MigrationError(message, remedy=remedy)
    known = {row.name for row in applied}
    return tuple(file for file in migrations if file.name not in known)


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
            twin = next((file for file in new if file.checksum == row.checksum), None)
            if twin is not None:
                moved[row.name] = twin
    problems = [
        problem for row in applied for problem in _find_row_problems(row, files, known, moved)
    ]
    claimed = {file.name for file in moved.values()}
    fresh = [file for file in new if file.name not in claimed]
    return [
        *problems,
        *_find_order_problems(migrations, applied),
        *_find_place_problems(migrations, fresh, known),
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
    elif row.checksum is not None and file.checksum != row.checksum:
        others = [other.name for other in known.values() if other.checksum == file.checksum]
        yield _make_edited(row, others)


def _make_moved(row: Applied, file: Migration) -> HistoryProblem:
    if file.name[4:] == row.name[4:]:
        return HistoryProblem(
            "reordered",
            row.name,
            f"{row.name}: was applied under this number, but is now {file.name}",
            f"Restore its number {row.name[:4]}: applied files keep their numbers.",
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
        "Restore it (git log -p shows the old text), and write the change into a new file with the "
        "next number.",
    )


def _find_order_problems(
    migrations: Sequence[Migration], applied: Sequence[Applied]
) -> Iterator[HistoryProblem]:
    place = {migration.name: index for index, migration in enumerate(migrations)}
    last: Applied | None = None
    for row in applied:
        index = place.get(row.name)
        if index is None or not split_statements(migrations[index].sql):
            continue
        if last is not None and index < place[last.name]:
            yield HistoryProblem(
                "late",
                row.name,
                f"{row.name}: was applied after {last.name}",
                "wrangler also applies a file that arrives late. Check that the database is what "
                "the files create in order, then record that order: flowflare migrations baseline",
            )
        else:
            last = row


def _find_place_problems(
    migrations: Sequence[Migration], fresh: Sequence[Migration], known: Mapping[str, Applied]
) -> Iterator[HistoryProblem]:
    done = [file for file in migrations if file.name in known]
    if not done:
        return
    free = max(file.number for file in migrations)
    overtaken = migrations[: migrations.index(done[-1])]
    for file in fresh:
        # A file with only comments fills a gap and does nothing, in any position.
        if file in overtaken and split_statements(file.sql):
            free += 1
            yield HistoryProblem(
                "merged",
                file.name,
                f"{file.name}: is new but comes before {done[-1].name}, which was already applied",
                "Probably two branches were merged: give it the next free number, "
                f"{free:04d}{file.name[4:]}, and check that it still fits the files in between.",
            )


def _find_copies(
    fresh: Sequence[Migration], files: Mapping[str, Migration], applied: Sequence[Applied]
) -> Iterator[HistoryProblem]:
    texts = {
        files[row.name].checksum: row.name
        for row in reversed(applied)
        if row.name in files and files[row.name].checksum == row.checksum
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
