"""Assess operations on a D1 database: their effect on its data."""

from collections.abc import Iterator

from flowflare.kinds.assessment import Reason, loses_data, text_of
from flowflare.kinds.surroundings import Surroundings
from flowflare.values.events import Step


def assess(step: Step, around: Surroundings) -> Iterator[Reason]:
    """Yield the reasons for the risk of a step, in any order."""
    del around
    old, new = text_of(step.old, "name"), text_of(step.new, "name")
    if step.op == "replace" and old == new:
        yield loses_data(f"`{old}` is deleted with all its data and created again, empty.")
    elif step.op == "replace":
        yield loses_data(f"`{new}` is a new, empty database; `{old}` is deleted with all its data.")
    elif step.op == "delete":
        yield loses_data(f"The database `{old}` is deleted with all its data.")
