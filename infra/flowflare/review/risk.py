"""Says what an operation on a resource means for running objects and for data, kind by kind."""

from collections.abc import Iterator

from flowflare.kinds.assessment import RISKS, Details, Reason, is_safe
from flowflare.kinds.contract import load_details, load_risk
from flowflare.kinds.registry import find_kind
from flowflare.kinds.surroundings import Surroundings
from flowflare.values.events import Step


def assess(step: Step, around: Surroundings) -> tuple[Reason, ...]:
    """The sentences about a step, worst first; none for one that needs no word.

    Args:
        step: the step.
        around: the plan that it is a step of.
    """
    kind = find_kind(step.type)
    rule = load_risk(kind) if kind is not None and step.op != "same" else None
    found = [*(rule(step, around) if rule is not None else ()), *_assess_protection(step)]
    return tuple(sorted(found, key=lambda one: RISKS.index(one.risk)))


def describe(step: Step) -> Details:
    """What a report says of a step beside its changed properties."""
    kind = find_kind(step.type)
    describe_kind = load_details(kind) if kind is not None else None
    return Details() if describe_kind is None else describe_kind(step)


def _assess_protection(step: Step) -> Iterator[Reason]:
    if not step.protected or step.protect or step.op == "delete":
        return
    if step.op == "replace":
        yield is_safe("Its protection is lifted by this `up`, which also replaces it.")
    else:
        yield is_safe(
            "Its protection is lifted by this `up`; the next one may delete it. Take it out of "
            "flowflare:allowDataLoss again if nothing is to be lost."
        )
