"""Decides which migrations a database still needs; refuses a history that was changed.

Pure: `apply.py` reads the ledger and sends the SQL, the dynamic provider asks this before it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from flowflare.errors import MigrationError
from flowflare.migrations.files import Migration
from flowflare.migrations.statements import statements

Kind = Literal["edited", "deleted", "renamed", "reordered", "merged", "late", "duplicated"]


@dataclass(frozen=True)
class Applied:
    """One row of the ledger.

    Attributes:
        name: the migration's file name.
        checksum: of the text that was applied; None where wrangler applied it, which keeps none.
        applied_at: when, `2026-11-23 14:36:00` in UTC; None where it was not read.
        bookmark: where Time Travel goes back to before it; None where none was kept.
    """

    name: str
    checksum: str | None
    applied_at: str | None = field(default=None, compare=False)
    bookmark: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class HistoryProblem:
    """One way in which the files are not the ones that were applied.

    Attributes:
        kind: which way.
        file: the applied file, or the new one that is in its way.
        message: what is wrong; begins with a file's name.
        remedy: what to do.
    """

    kind: Kind
    file: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.message}. {self.remedy}"


def pending(migrations: Sequence[Migration], applied: Sequence[Applied]) -> tuple[Migration, ...]:
    """The migrations that were not applied yet, in order.

    Args:
        migrations: all files, in order.
        applied: the ledger's rows, oldest first.

    Raises:
        MigrationError: an applied file was edited, deleted, renamed or moved, or a new one stands
            where it cannot run any more; every problem at once.
    """
    problems = history_problems(migrations, applied)
    if problems:
        message = "\n".join(problem.message for problem in problems)
        remedy = " ".join(dict.fromkeys(problem.remedy for problem in problems))
        raise MigrationError(message, remedy=remedy)
    known = {row.name for row in applied}
    return tuple(file for file in migrations if file.name not in known)


def history_problems(
    migrations: Sequence[Migration], applied: Sequence[Applied]
) -> list[HistoryProblem]:
    """What is wrong with the files, given what was applied; empty when nothing is."""
    files = {migration.name: migration for migration in migrations}
    known = {row.name: row for row in applied}
    new = [file for file in migrations if file.name not in known]
    moved: dict[str, Migration] = {}
    for row in applied:
        if row.name not in files and row.checksum is not None:
            twin = next((file for file in new if file.checksum == row.checksum), None)
            if twin is not None:
                moved[row.name] = twin
    problems = [problem for row in applied for problem in _row_problems(row, files, known, moved)]
    claimed = {file.name for file in moved.values()}
    fresh = [file for file in new if file.name not in claimed]
    return [
        *problems,
        *_order_problems(migrations, applied),
        *_place_problems(migrations, fresh, known),
        *_copies(fresh, files, applied),
    ]


def _row_problems(
    row: Applied,
    files: Mapping[str, Migration],
    known: Mapping[str, Applied],
    moved: Mapping[str, Migration],
) -> Iterator[HistoryProblem]:
    file = files.get(row.name)
    if file is None and row.name in moved:
        yield _moved(row, moved[row.name])
    elif file is None:
        yield HistoryProblem(
            "deleted",
            row.name,
            f"{row.name}: was applied, and the file is missing",
            "Put the file back as it was (git log --diff-filter=D finds it); what it made is "
            "undone by a new file.",
        )
    elif row.checksum is not None and file.checksum != row.checksum:
        others = [one.name for one in known.values() if one.checksum == file.checksum]
        yield _edited(row, others)


def _moved(row: Applied, file: Migration) -> HistoryProblem:
    if file.name[4:] == row.name[4:]:
        return HistoryProblem(
            "reordered",
            row.name,
            f"{row.name}: was applied under this number and is {file.name} now",
            f"Give it its number {row.name[:4]} back: applied files never change places.",
        )
    return HistoryProblem(
        "renamed",
        row.name,
        f"{row.name}: was applied under this name and is {file.name} now",
        f"Rename it back to {row.name}: wrangler would apply it once more under another name.",
    )


def _edited(row: Applied, others: Sequence[str]) -> HistoryProblem:
    if others:
        return HistoryProblem(
            "reordered",
            row.name,
            f"{row.name}: has the text now that was applied as {others[0]}",
            "Put both files back as they were: applied files never change places.",
        )
    return HistoryProblem(
        "edited",
        row.name,
        f"{row.name}: was edited after it was applied",
        "Restore it as it was (git log -p shows how), and write what should be different into a "
        "new file with the next number.",
    )


def _order_problems(
    migrations: Sequence[Migration], applied: Sequence[Applied]
) -> Iterator[HistoryProblem]:
    place = {migration.name: index for index, migration in enumerate(migrations)}
    last: Applied | None = None
    for row in applied:
        index = place.get(row.name)
        if index is None or not statements(migrations[index].sql):
            continue
        if last is not None and index < place[last.name]:
            yield HistoryProblem(
                "late",
                row.name,
                f"{row.name}: was applied after {last.name}",
                "wrangler applies a file that comes late; see whether the database is what the "
                "files make in order, and note that order: flowflare migrations baseline",
            )
        else:
            last = row


def _place_problems(
    migrations: Sequence[Migration], fresh: Sequence[Migration], known: Mapping[str, Applied]
) -> Iterator[HistoryProblem]:
    done = [file for file in migrations if file.name in known]
    if not done:
        return
    free = max(file.number for file in migrations)
    overtaken = migrations[: migrations.index(done[-1])]
    for file in fresh:
        # A file of comments alone fills a gap and does nothing, wherever it stands.
        if file in overtaken and statements(file.sql):
            free += 1
            yield HistoryProblem(
                "merged",
                file.name,
                f"{file.name}: is new and comes before {done[-1].name}, which was applied already",
                "Two branches were merged, it seems: give it the next free number, "
                f"{free:04d}{file.name[4:]}, and see that it still fits what came in between.",
            )


def _copies(
    fresh: Sequence[Migration], files: Mapping[str, Migration], applied: Sequence[Applied]
) -> Iterator[HistoryProblem]:
    texts = {
        files[row.name].checksum: row.name
        for row in reversed(applied)
        if row.name in files and files[row.name].checksum == row.checksum
    }
    for file in fresh:
        if file.checksum in texts and statements(file.sql):
            original = texts[file.checksum]
            yield HistoryProblem(
                "duplicated",
                file.name,
                f"{file.name}: has the same text as {original}, which was applied already",
                "Delete it; if it is to run once more, say so in a comment in it.",
            )
