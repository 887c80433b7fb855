"""Assesses operations on an R2 bucket: their effect on its objects."""

from collections.abc import Iterator

from flowflare.kinds.assessment import Reason
from flowflare.kinds.store import assess_store
from flowflare.kinds.surroundings import Surroundings
from flowflare.values.events import Step


def assess(step: Step, around: Surroundings) -> Iterator[Reason]:
    """Yield the reasons for a step."""
    del around
    return assess_store(step, "its objects")
