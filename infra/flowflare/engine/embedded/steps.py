"""Describe an operation on a resource as a step, which plans list and progress shows."""

from flowflare.engine.embedded.goal import Goal
from flowflare.engine.embedded.plan import Decision
from flowflare.state.checkpoint import Resource
from flowflare.values.events import Step
from flowflare.values.properties import Props
from flowflare.values.show import changes, shown_inputs, shown_props
from flowflare.values.urns import name_of, type_of


def step_of(goal: Goal, old: Resource | None, inputs: Props, decision: Decision) -> Step:
    """Make the step of a decision.

    Args:
        goal: what the program declares.
        old: the record in state; None if there is none.
    """
    differing = decision.op in ("create", "update", "replace")
    note = decision.note
    if old is not None and old.urn != goal.urn:
        note = note or f"was {name_of(old.urn)} ({type_of(old.urn)})"
    return Step(
        op=decision.op,
        urn=goal.urn,
        type=goal.type,
        name=goal.name,
        custom=goal.custom,
        changes=changes(
            old.inputs if old is not None else {},
            inputs,
            replaces=decision.replaces,
            sources=goal.property_dependencies,
        )
        if differing
        else (),
        replaces=decision.replaces,
        delete_before_replace=decision.delete_before_replace and decision.op == "replace",
        note=note,
        old=None if old is None else shown_inputs(old.inputs),
        new=shown_inputs(inputs),
        outputs=None if old is None else shown_props(old.outputs),
        protected=old is not None and old.protect,
        protect=goal.protect,
    )
