"""Assesses operations on KV namespaces and queues."""

from collections.abc import Iterator

from flowflare.kinds.assessment import Reason, loses_data
from flowflare.values.events import Step


def assess_store(step: Step, inside: str) -> Iterator[Reason]:
    """Yield the reasons for a step on a store that is deleted with its content.

    Args:
        step: the step.
        inside: its content in words, such as `its keys`.
    """
    if step.op == "replace":
        yield loses_data(f"It is replaced by an empty one; the old one is deleted with {inside}.")
    elif step.op == "delete":
        yield loses_data(f"It is deleted with {inside}.")
