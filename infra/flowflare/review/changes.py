"""Turn a plan into a review: one entry per resource, riskiest first."""

from collections.abc import Collection
from dataclasses import replace

from flowflare.kinds.assessment import RISKS, worst
from flowflare.kinds.surroundings import Surroundings
from flowflare.review.calls import count_calls
from flowflare.review.code import compare_texts
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
    """Review a plan.

    Args:
        plan: what an engine would do, or did.
        diff: whether strings that change are compared line by line.
    """
    around = Surroundings.of(plan.steps)
    refused = {failure.urn for failure in plan.failures if failure.kind == "protected"}
    moving = {step.name for step in plan.steps if step.op in ("create", "replace", "update")}
    entries = [
        _make_entry(
            _drop_settled_waits(step, moving), around, refused=step.urn in refused, diff=diff
        )
        for step in plan.steps
        if step.custom
    ]
    # Programs register resources concurrently; sorting makes the review the same every time.
    entries.sort(
        key=lambda entry: (entry.op == "same", RISKS.index(entry.risk), entry.name, entry.type)
    )
    return Review(
        entries=tuple(entries),
        refusals=tuple(
            _make_refusal(failure) for failure in sorted(plan.failures, key=lambda f: f.name)
        ),
        outputs={name: plan.outputs[name] for name in sorted(plan.outputs)},
    )


def _make_entry(step: Step, around: Surroundings, *, refused: bool, diff: bool) -> Entry:
    reasons, details = assess(step, around), describe(step)
    return Entry(
        op=step.op,
        name=step.name,
        type=step.type,
        urn=step.urn,
        risk=worst(reason.risk for reason in reasons),
        reasons=reasons,
        note=step.note,
        protection=_decide_protection(step, refused=refused),
        changes=tuple(_make_property(change) for change in step.changes),
        replaces=step.replaces,
        waits_for=_list_waits(step),
        bindings_added=details.bindings_added,
        bindings_dropped=details.bindings_dropped,
        class_migrations=details.class_migrations,
        migrations=details.migrations,
        api_calls=count_calls(step),
        differences=compare_texts(step) if diff else (),
    )


def _drop_settled_waits(step: Step, moving: Collection[str]) -> Step:
    """Drop unchanged resources from the list of those that the step waits for.

    A value that comes from a list depends on all items of the list, including unchanged ones.
    """
    changes = tuple(
        replace(change, waits_for=tuple(name for name in change.waits_for if name in moving))
        for change in step.changes
    )
    return replace(step, changes=changes)


def _decide_protection(step: Step, *, refused: bool) -> Protection:
    if refused:
        return "refused"
    if step.protected and not step.protect:
        return "lifted"
    return "kept" if step.protected or step.protect else "none"


def _list_waits(step: Step) -> tuple[str, ...]:
    names = {name for change in step.changes for name in change.waits_for}
    return tuple(sorted(names))


def _make_property(change: Change) -> ChangedProperty:
    return ChangedProperty(
        path=change.path,
        kind=change.kind,
        old=change.old,
        new=change.new,
        replaces=change.replaces,
        waits_for=change.waits_for,
    )


def _make_refusal(failure: Failure) -> Refusal:
    return Refusal(name=failure.name, type=failure.type, kind=failure.kind, reason=failure.reason)
