"""Report the state of each migration file: applied, pending, or changed since."""

from collections.abc import Sequence
from dataclasses import dataclass

from flowflare.migrations.files import Migration
from flowflare.migrations.plan import Applied, find_history_problems


@dataclass(frozen=True)
class FileStatus:
    """The state of one file.

    Attributes:
        name: the file's name.
        state: `applied`, `pending`, or the kind of its problem, such as `edited`.
        by: `flowflare` or `wrangler`, which stores no checksum; None for a pending file.
        applied_at: when it was applied, in UTC.
        bookmark: the Time Travel bookmark before it.
        problem: what is wrong and what to do; None if nothing is wrong.
    """

    name: str
    state: str
    by: str | None
    applied_at: str | None
    bookmark: str | None
    problem: str | None


def list_status(
    migrations: Sequence[Migration], applied: Sequence[Applied]
) -> tuple[FileStatus, ...]:
    """Report the state of every file in the folder or in the ledger, in order of the files.

    Args:
        migrations: the files of the folder, in order.
        applied: the ledger's rows, oldest first.
    """
    rows = {row.name: row for row in applied}
    problems = {problem.file: problem for problem in find_history_problems(migrations, applied)}
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
