"""The request that clears cron triggers."""

from flowflare.values.events import Step


def count_calls(step: Step) -> int:
    """Count the requests that a step takes."""
    return 1 if step.op in ("delete", "replace") else 0  # the schedules are cleared once
