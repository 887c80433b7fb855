"""Assess which Durable Objects an upload of bindings restarts."""

from collections.abc import Iterator

from flowflare.kinds.assessment import Reason, restarts, text_of
from flowflare.kinds.surroundings import Surroundings
from flowflare.values.events import Step


def assess(step: Step, around: Surroundings) -> Iterator[Reason]:
    """Yield the reasons for the risk of a step, in any order."""
    had = ", ".join(around.old.get(text_of(step.old, "script_name"), ()))
    if step.op == "update" and had:
        yield restarts(had)
