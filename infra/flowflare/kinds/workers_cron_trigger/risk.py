"""Assess operations on cron triggers: the triggers that end."""

from collections.abc import Iterator, Mapping

from flowflare.kinds.assessment import Reason, is_safe
from flowflare.kinds.surroundings import Surroundings
from flowflare.values.events import Step


def assess(step: Step, around: Surroundings) -> Iterator[Reason]:
    """Yield the reasons for the risk of a step, in any order."""
    del around
    schedules = (step.old or {}).get("schedules")
    if step.op == "delete" and isinstance(schedules, list):
        ended = [
            f"`{schedule.get('cron')}`" for schedule in schedules if isinstance(schedule, Mapping)
        ]
        if ended:
            yield is_safe(f"These cron triggers end: {', '.join(ended)}.")
