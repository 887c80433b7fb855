"""Decides which migrations a database still needs; refuses a history that was changed.

Pure: `apply.py` reads the ledger and sends the SQL, the dynamic provider asks this before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from flowflare.errors import MigrationError
from flowflare.migrations.files import Migration


@dataclass(frozen=True)
class Applied:
    """One row of the ledger.

    Attributes:
        name: the migration's file name.
        checksum: of the text that was applied; None where wrangler applied it, which keeps none.
    """

    name: str
    checksum: str | None


def pending(migrations: Sequence[Migration], applied: Sequence[Applied]) -> tuple[Migration, ...]:
    """The migrations that were not applied yet, in order.

    Args:
        migrations: all files, in order.
        applied: the ledger's rows, oldest first.

    Raises:
        MigrationError: an applied file was edited, removed or moved.
    """
    problems = history_problems(migrations, applied)
    if problems:
        remedy = (
            "Applied files never change: restore them as they were, and write what should be "
            "different into a new file with the next number."
        )
        raise MigrationError("\n".join(problems), remedy=remedy)
    return tuple(migrations[len(applied) :])


def history_problems(migrations: Sequence[Migration], applied: Sequence[Applied]) -> list[str]:
    """What is wrong with the files, given what was applied; empty when nothing is."""
    by_name = {migration.name: migration for migration in migrations}
    problems = []
    for position, row in enumerate(applied):
        file = by_name.get(row.name)
        if file is None:
            problems.append(f"{row.name}: was applied, and the file is missing")
        elif row.checksum is not None and file.checksum != row.checksum:
            problems.append(f"{row.name}: was edited after it was applied")
        elif migrations[position].name != row.name:
            first = migrations[position].name
            problems.append(f"{first}: comes before {row.name}, which was applied already")
            break
    return problems
