"""Assess operations on an API key: their effect on callers."""

from collections.abc import Iterator

from flowflare.kinds.assessment import Reason, is_safe
from flowflare.kinds.surroundings import Surroundings
from flowflare.values.events import Step


def assess(step: Step, around: Surroundings) -> Iterator[Reason]:
    """Yield the reasons for the risk of a step, in any order."""
    if step.op in ("replace", "delete"):
        yield is_safe("Callers that still use this key are refused.")
    if step.op == "delete" and around.another_key:
        yield is_safe(
            "The same `up` creates another key. A client's calls are refused until the client has "
            "it. To rotate the key without interruption, run: flowflare secrets rotate"
        )
