"""The original Flowflare's tables: recognises them, and writes the SQL that takes rows along."""

from collections.abc import Collection
from typing import Final

#: The tables of the original's reference, parents first.
TABLES: Final = ("workflow", "workflow_runs", "workflow_steps", "workflow_step_retries")


def is_original(objects: Collection[tuple[str, str]]) -> bool:
    """Whether a database's definitions, by type and name, hold the original's tables."""
    return all(("table", name) in objects for name in TABLES)
