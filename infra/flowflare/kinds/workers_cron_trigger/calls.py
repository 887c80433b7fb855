"""The request of cron triggers."""

from flowflare.values.events import Step


def count_calls(step: Step) -> int:
    """Count the requests that a step takes."""
    return 0 if step.op == "delete" else 1  # deleted without a call: CronCleanup clears them
