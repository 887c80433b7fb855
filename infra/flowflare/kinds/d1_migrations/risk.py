"""Assesses pending migration files: the data that their SQL loses, as the linter finds it."""

from collections.abc import Iterator
from typing import Final

from flowflare.kinds.assessment import Reason, loses_data
from flowflare.kinds.d1_migrations.plan import files_to_run
from flowflare.kinds.surroundings import Surroundings
from flowflare.values.events import Step

#: Rules of the migration linter whose findings are about data that a file would lose.
LOSING_RULES: Final = frozenset(
    {"delete-all", "drop-cascades", "drop-column", "drop-table", "replace-cascades"}
)


def assess(step: Step, around: Surroundings) -> Iterator[Reason]:
    """Yield the reasons for a step, in any order."""
    del around
    for file in files_to_run(step):
        for found in file.findings:
            if found.rule in LOSING_RULES:
                yield loses_data(f"{file.name}:{found.line} {found.message}")
