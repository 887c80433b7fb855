"""Assess operations on a route: the requests that no longer reach the Worker."""

from collections.abc import Iterator

from flowflare.kinds.assessment import Reason, is_safe, text_of
from flowflare.kinds.surroundings import Surroundings
from flowflare.values.events import Step


def assess(step: Step, around: Surroundings) -> Iterator[Reason]:
    """Yield the reasons for the risk of a step, in any order."""
    del around
    if step.op == "delete":
        yield is_safe(f"Requests to `{text_of(step.old, 'pattern')}` no longer reach the Worker.")
