"""Makes a review out of a plan: one entry per resource, riskiest first."""

from collections.abc import Collection
from dataclasses import replace

from flowflare.kinds.assessment import RISKS, worst
from flowflare.kinds.surroundings import Surroundings
from flowflare.review.calls import count_calls
from flowflare.review.code import differences
from flowflare.review.entries import (
    ChangedProperty,
    Entry,
    Protection,
    Refusal,
    Review,
)
from flowflare.review.risk import assess, describe
from flowflare.values.events import Change, Failure, Plan, Step


def review(plan: Plan, *, diff: bool = False) -> Review:
    """Reviews a plan.

    Args:
        plan: what an engine would do, or has done.
        diff: whether texts that change are compared line by line.
    """
    around = Surroundings.of(plan.steps)
    refused = {failure.urn for failure in plan.failures if failure.kind == "protected"}
    moving = {step.name for step in plan.steps if step.op in ("create", "replace", "update")}
    entries = [
        _entry(_narrowed(step, moving), around, refused=step.urn in refused, diff=diff)
        for step in plan.steps
        if step.custom
    ]
    # Programs declare many things at the same time; a review is the same each time.
    entries.sort(key=lambda one: (one.op == "same", RISKS.index(one.risk), one.name, one.type))
    return Review(
        entries=tuple(entries),
        refusals=tuple(_refusal(one) for one in sorted(plan.failures, key=lambda one: one.name)),
        outputs={name: plan.outputs[name] for name in sorted(plan.outputs)},
    )


def _entry(step: Step, around: Surroundings, *, refused: bool, diff: bool) -> Entry:
    reasons, details = assess(step, around), describe(step)
    return Entry(
        op=step.op,
        name=step.name,
        type=step.type,
        urn=step.urn,
        risk=worst(reason.risk for reason in reasons),
        reasons=reasons,
        note=step.note,
        protection=_protection(step, refused=refused),
        changes=tuple(_changed(change) for change in step.changes),
        replaces=step.replaces,
        waits_for=_waits_for(step),
        bindings_added=details.bindings_added,
        bindings_dropped=details.bindings_dropped,
        class_migrations=details.class_migrations,
        migrations=details.migrations,
        api_calls=count_calls(step),
        differences=differences(step) if diff else (),
    )


def _narrowed(step: Step, moving: Collection[str]) -> Step:
    """The step without waiting for what stays as it is: a list's sources are not all of an item."""
    changes = tuple(
        replace(one, waits_for=tuple(name for name in one.waits_for if name in moving))
        for one in step.changes
    )
    return replace(step, changes=changes)


def _protection(step: Step, *, refused: bool) -> Protection:
    if refused:
        return "refused"
    if step.protected and not step.protect:
        return "lifted"
    return "kept" if step.protected or step.protect else "none"


def _waits_for(step: Step) -> tuple[str, ...]:
    names = {name for change in step.changes for name in change.waits_for}
    return tuple(sorted(names))


def _changed(change: Change) -> ChangedProperty:
    return ChangedProperty(
        path=change.path,
        kind=change.kind,
        old=change.old,
        new=change.new,
        replaces=change.replaces,
        waits_for=change.waits_for,
    )


def _refusal(failure: Failure) -> Refusal:
    return Refusal(name=failure.name, type=failure.type, kind=failure.kind, reason=failure.reason)
