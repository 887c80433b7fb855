"""Assess class migrations: lost, moved and restarted objects."""

from collections.abc import Iterator

from flowflare.kinds.assessment import ClassStep, Reason, loses_data, restarts, text_of
from flowflare.kinds.durable_object_migrations.plan import steps_to_send
from flowflare.kinds.surroundings import Surroundings
from flowflare.values.events import Step


def assess(step: Step, around: Surroundings) -> Iterator[Reason]:
    """Yield the reasons for the risk of a step, in any order."""
    name = text_of(step.new, "script_name") or text_of(step.old, "script_name")
    if step.op == "replace":
        old = text_of(step.old, "script_name")
        had = ", ".join(around.old.get(old, ())) or "its classes"
        yield loses_data(
            f"`{name}` begins with empty namespaces: the objects of {had} stay behind."
        )
        return
    for class_step in steps_to_send(step):
        yield from _assess_step(class_step)
    had = ", ".join(around.old.get(name, ()))
    if step.op == "update" and had:
        yield restarts(had)


def _assess_step(migration: ClassStep) -> Iterator[Reason]:
    if migration.deleted_classes:
        gone = ", ".join(migration.deleted_classes)
        yield loses_data(
            f"Class migration `{migration.tag}` deletes {gone} with all its objects' data."
        )
    for moved in migration.transferred_classes:
        yield loses_data(
            f"Class migration `{migration.tag}` moves {moved}: the objects leave the other "
            "script, and only another step brings them back."
        )
