"""The class migrations that a step of a plan would send."""

from collections.abc import Mapping, Sequence
from typing import Any

from flowflare.kinds.assessment import ClassStep, Details
from flowflare.values.events import Step

Props = Mapping[str, Any]


def describe(step: Step) -> Details:
    """Return the details for a report: the class migrations of a script."""
    return Details(class_migrations=steps_to_send(step))


def steps_to_send(step: Step) -> tuple[ClassStep, ...]:
    """List the class migrations that a step on a `DurableObjectMigrations` resource would send.

    A creation or replacement sends the whole history, and an update the steps after the tag in
    state. If the history does not have that tag, the provider refuses the update, so the list is
    empty.
    """
    if step.op in ("same", "delete") or step.new is None:
        return ()
    history: Sequence[Props] = step.new.get("history") or ()
    tag = (step.outputs or {}).get("migration_tag") if step.op == "update" else None
    if tag:
        tags = [migration.get("tag") for migration in history]
        history = history[tags.index(tag) + 1 :] if tag in tags else ()
    return tuple(_make_class_step(migration) for migration in history)


def _make_class_step(migration: Props) -> ClassStep:
    return ClassStep(
        tag=migration["tag"],
        new_sqlite_classes=tuple(migration.get("new_sqlite_classes") or ()),
        renamed_classes=tuple(
            f"{renamed['from']} -> {renamed['to']}"
            for renamed in migration.get("renamed_classes") or ()
        ),
        deleted_classes=tuple(migration.get("deleted_classes") or ()),
        transferred_classes=tuple(
            f"{moved.get('from_script')}.{moved['from']} -> {moved['to']}"
            for moved in migration.get("transferred_classes") or ()
        ),
    )
