"""Assess pending migration files: the data loss that the linter finds in their SQL."""

from collections.abc import Iterator

from flowflare.kinds.assessment import Reason, is_safe, loses_data
from flowflare.kinds.d1_migrations.plan import files_to_run
from flowflare.kinds.surroundings import Surroundings
from flowflare.migrations.findings import LOSING_RULES
from flowflare.values.events import Step


def assess(step: Step, around: Surroundings) -> Iterator[Reason]:
    """Yield the reasons for the risk of a step, in any order."""
    del around
    if step.op != "delete" and (step.new or {}).get("migrations") == []:
        yield is_safe("Its folder has no migrations: no *.sql, and no */migration.sql.")
    for file in files_to_run(step):
        for found in file.findings:
            if found.rule in LOSING_RULES:
                yield loses_data(f"{file.name}:{found.line} {found.message}")
