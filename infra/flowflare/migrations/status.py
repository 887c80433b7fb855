"""Tells for each migration file where it stands: applied, pending, or changed since."""

from collections.abc import Sequence
from dataclasses import dataclass

from flowflare.migrations.files import Migration
from flowflare.migrations.plan import Applied, history_problems


@dataclass(frozen=True)
class FileStatus:
    """Where one file stands.

    Attributes:
        name: the file's name.
        state: `applied`, `pending`, or the kind of what is wrong with it, such as `edited`.
        by: `flowflare` or `wrangler`, which keeps no checksum; None for a pending file.
        applied_at: when it was applied, in UTC.
        bookmark: where Time Travel goes back to before it.
        problem: what is wrong and what to do, None where nothing is.
    """

    name: str
    state: str
    by: str | None
    applied_at: str | None
    bookmark: str | None
    problem: str | None


def status(migrations: Sequence[Migration], applied: Sequence[Applied]) -> tuple[FileStatus, ...]:
    """Where every file stands that is in the folder or in the ledger, in the files' order.

    Args:
        migrations: the files of the folder, in order.
        applied: the ledger's rows, oldest first.
    """
    rows = {row.name: row for row in applied}
    problems = {problem.file: problem for problem in history_problems(migrations, applied)}
    names = sorted({*rows, *(file.name for file in migrations)})
    found = []
    for name in names:
        row, problem = rows.get(name), problems.get(name)
        state = problem.kind if problem else "applied" if row else "pending"
        found.append(
            FileStatus(
                name=name,
                state=state,
                by=None if row is None else "flowflare" if row.checksum else "wrangler",
                applied_at=row.applied_at if row else None,
                bookmark=row.bookmark if row else None,
                problem=str(problem) if problem else None,
            )
        )
    return tuple(found)
