"""The requests of a kind that takes one for each operation."""

from flowflare.values.events import Step


def count_calls(step: Step) -> int:
    """Count the requests that a step takes; a replacement creates and deletes."""
    return 2 if step.op == "replace" else 1
