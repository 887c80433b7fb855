"""The requests of bindings that are uploaded first."""

from flowflare.values.events import Step


def count_calls(step: Step) -> int:
    """Count the requests that a step takes."""
    return 0 if step.op == "delete" else 2  # reading the bindings; the upload or the settings
