"""Report the state of each migration file: applied, pending, or changed since."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from flowflare.migrations.files import Migration, order_key
from flowflare.migrations.plan import Applied, find_history_problems


@dataclass(frozen=True)
class FileStatus:
    """The state of one file.

    Attributes:
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
    rows = {row.name: row for row in list_ledger(applied)}
    problems = {problem.file: problem for problem in find_history_problems(migrations, applied)}
    found = []
    for name in sorted({*rows, *(file.name for file in migrations)}, key=order_key):
        status = rows.get(name, FileStatus(name, "pending", None, None, None, None))
        if problem := problems.get(name):
            status = replace(status, state=problem.kind, problem=str(problem))
        found.append(status)
    return tuple(found)


def list_ledger(applied: Sequence[Applied]) -> Iterator[FileStatus]:
    """Report what the ledger says of each file in it, whatever the folder has."""
    for row in applied:
        by = "flowflare" if row.checksum else "wrangler"
        yield FileStatus(row.name, "applied", by, row.applied_at, row.bookmark, None)
