"""Makes a review out of a plan: one entry per resource, riskiest first."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from flowflare.review.calls import calls_of
from flowflare.review.classes import HISTORY_TYPE, SCRIPT_TYPE, steps_to_send
from flowflare.review.code import differences
from flowflare.review.entries import (
    RISKS,
    ChangedBinding,
    ChangedProperty,
    Entry,
    Protection,
    Refusal,
    Review,
    worst,
)
from flowflare.review.migrations import MIGRATIONS_TYPE, files_to_run
from flowflare.review.risk import Surroundings, assess
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
    kind = step.type.rpartition(":")[2]
    reasons = assess(step, around)
    # What uploads a script beforehand drops nothing: it inherits the rest.
    is_script = kind == SCRIPT_TYPE
    before, after = (_bindings(step.old), _bindings(step.new)) if is_script else ({}, {})
    if before is None or after is None:
        before = after = {}  # one of the lists is secret as a whole
    dropped, added = before.keys() - after.keys(), after.keys() - before.keys()
    whole = step.op in ("create", "delete", "same")
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
        bindings_added=() if whole else tuple(after[name] for name in sorted(added)),
        bindings_dropped=() if whole else tuple(before[name] for name in sorted(dropped)),
        class_migrations=steps_to_send(step) if kind == HISTORY_TYPE else (),
        migrations=files_to_run(step) if kind == MIGRATIONS_TYPE else (),
        api_calls=calls_of(step),
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


def _bindings(props: Mapping[str, Any] | None) -> dict[str, ChangedBinding] | None:
    """The bindings of a Worker's inputs by name; None if the list is secret as a whole."""
    bindings = (props or {}).get("bindings")
    if bindings is not None and not isinstance(bindings, list):
        return None
    return {
        str(one["name"]): ChangedBinding(name=str(one["name"]), type=str(one.get("type") or ""))
        for one in bindings or ()
        if isinstance(one, dict) and "name" in one
    }


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
