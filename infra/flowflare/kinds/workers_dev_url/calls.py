"""The request of a URL."""

from flowflare.values.events import Step


def count_calls(step: Step) -> int:
    """Count the requests that a step takes."""
    return 0 if step.op == "delete" else 1
