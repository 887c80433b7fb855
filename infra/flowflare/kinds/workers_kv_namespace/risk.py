"""What an operation means for what is stored."""

from collections.abc import Iterator

from flowflare.kinds.assessment import Reason
from flowflare.kinds.store import assess_store
from flowflare.kinds.surroundings import Surroundings
from flowflare.values.events import Step


def assess(step: Step, around: Surroundings) -> Iterator[Reason]:
    """The sentences about a step."""
    del around
    return assess_store(step, "its keys")
