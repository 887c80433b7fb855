"""The class migrations that a step of a plan would send."""

from collections.abc import Mapping, Sequence
from typing import Any

from flowflare.kinds.assessment import ClassStep, Details
from flowflare.values.events import Step

Props = Mapping[str, Any]


def describe(step: Step) -> Details:
    """What a report says of the class migrations of a script."""
    return Details(class_migrations=steps_to_send(step))


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
