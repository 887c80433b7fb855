"""Durable Object classes in a plan: which script has which, and which steps would be sent."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from flowflare.review.entries import ClassStep
from flowflare.values.events import Step

HISTORY_TYPE: Final = "DurableObjectMigrations"
SCRIPT_TYPE: Final = "WorkersScript"
_NAMESPACE: Final = "durable_object_namespace"

Props = Mapping[str, Any]


def steps_to_send(step: Step) -> tuple[ClassStep, ...]:
    """The class migrations that a step on a `DurableObjectMigrations` resource would send.

    A creation or replacement sends the whole history, an update what follows the tag in state; one
    whose tag the history does not have is refused by the provider, so nothing is foreseen.
    """
    if step.op in ("same", "delete") or step.new is None:
        return ()
    history: Sequence[Props] = step.new.get("history") or ()
    tag = (step.outputs or {}).get("migration_tag") if step.op == "update" else None
    if tag:
        tags = [one.get("tag") for one in history]
        history = history[tags.index(tag) + 1 :] if tag in tags else ()
    return tuple(_class_step(one) for one in history)


def _class_step(one: Props) -> ClassStep:
    return ClassStep(
        tag=one["tag"],
        new_sqlite_classes=tuple(one.get("new_sqlite_classes") or ()),
        renamed_classes=tuple(
            f"{renamed['from']} -> {renamed['to']}" for renamed in one.get("renamed_classes") or ()
        ),
        deleted_classes=tuple(one.get("deleted_classes") or ()),
        transferred_classes=tuple(
            f"{moved.get('from_script')}.{moved['from']} -> {moved['to']}"
            for moved in one.get("transferred_classes") or ()
        ),
    )


def implemented(steps: Sequence[Step], *, new: bool = False) -> dict[str, tuple[str, ...]]:
    """The Durable Object classes of each script by the script's name, sorted.

    Args:
        steps: the plan's steps.
        new: whether as the program wants it; otherwise as it stands in state.
    """
    found: dict[str, set[str]] = {}
    for step in steps:
        kind, props = _kind(step), (step.new if new else step.old) or {}
        if kind == HISTORY_TYPE:
            name, classes = props.get("script_name"), _after(props.get("history") or ())
        elif kind == SCRIPT_TYPE:
            name, classes = props.get("scriptName"), _bound(props)
        else:
            continue
        if isinstance(name, str):
            found.setdefault(name, set()).update(classes)
    return {name: tuple(sorted(classes)) for name, classes in found.items() if classes}


def _kind(step: Step) -> str:
    return step.type.rpartition(":")[2]


def _bound(script: Props) -> set[str]:
    """Classes that a script binds and, since it names no other script, implements itself."""
    bindings = script.get("bindings")
    return {
        one["className"]
        for one in (bindings if isinstance(bindings, list) else ())
        if one.get("type") == _NAMESPACE
        and one.get("scriptName") in (None, script.get("scriptName"))
        and isinstance(one.get("className"), str)
    }


def _after(history: Sequence[Props]) -> set[str]:
    """The classes that there are once a history has been applied."""
    classes: set[str] = set()
    for step in history:
        classes |= {*(step.get("new_sqlite_classes") or ()), *(step.get("new_classes") or ())}
        classes -= {*(step.get("deleted_classes") or ())}
        for renamed in step.get("renamed_classes") or ():
            classes = (classes - {renamed["from"]}) | {renamed["to"]}
        classes |= {moved["to"] for moved in step.get("transferred_classes") or ()}
    return classes
