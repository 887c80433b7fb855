"""Assess operations on a Workflow: their effect on its instances."""

from collections.abc import Iterator

from flowflare.kinds.assessment import Reason, loses_data, text_of
from flowflare.kinds.surroundings import Surroundings
from flowflare.kinds.workflow.replays import assess_replays
from flowflare.values.events import Step


def assess(step: Step, around: Surroundings) -> Iterator[Reason]:
    """Yield the reasons for the risk of a step, in any order."""
    if step.op == "update":
        for kept in around.workflows:
            if kept.name == text_of(step.new, "workflowName"):
                yield from assess_replays(kept)
    old = text_of(step.old, "workflowName")
    if step.op in ("replace", "delete"):
        yield loses_data(f"The Workflow `{old}` is deleted with its instances; those that run end.")
