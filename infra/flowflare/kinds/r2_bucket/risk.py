"""Assess operations on an R2 bucket: their effect on its objects."""

from collections.abc import Iterator
from typing import Final

from flowflare.kinds.assessment import Reason, loses_data
from flowflare.kinds.surroundings import Surroundings
from flowflare.values.events import Step

_REFUSED: Final = "Cloudflare refuses this while the bucket holds objects: delete them first."


def assess(step: Step, around: Surroundings) -> Iterator[Reason]:
    """Yield the reasons for the risk of a step."""
    del around
    if step.op == "replace":
        yield loses_data(f"An empty bucket replaces it, and the old one is deleted. {_REFUSED}")
    elif step.op == "delete":
        yield loses_data(f"The bucket is deleted. {_REFUSED}")
