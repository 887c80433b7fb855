"""The requests of D1 migrations."""

from flowflare.kinds.d1_migrations.plan import pending_files
from flowflare.values.events import Step


def count_calls(step: Step) -> int:
    """Count the requests that a step takes."""
    if step.op == "delete":
        return 0  # only state forgets the files; their tables are deleted with the database
    return 1 + 2 * len(pending_files(step))  # the ledger, then a bookmark and the SQL of each file
