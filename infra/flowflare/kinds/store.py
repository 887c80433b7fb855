"""What an operation means for a kind that is nothing but what is stored in it."""

from collections.abc import Iterator

from flowflare.kinds.assessment import Reason, loses_data
from flowflare.values.events import Step


def assess_store(step: Step, inside: str) -> Iterator[Reason]:
    """The sentences about a step on a store.

    Args:
        step: the step.
        inside: what is stored in it, such as `its keys`.
    """
    if step.op == "replace":
        yield loses_data(f"A new one is made, empty; the old one is deleted with {inside}.")
    elif step.op == "delete":
        yield loses_data(f"It is deleted with {inside}.")
