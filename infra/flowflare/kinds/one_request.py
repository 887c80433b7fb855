"""The requests of a kind with one request for each operation."""

from flowflare.values.events import Step


def count_calls(step: Step) -> int:
    """Count the requests that a step takes; a replacement creates and deletes."""
    return 2 if step.op == "replace" else 1
