"""What class migrations lose, move and restart."""

from collections.abc import Iterator

from flowflare.kinds.assessment import ClassStep, Reason, loses_data, restarts, text_of
from flowflare.kinds.durable_object_migrations.plan import steps_to_send
from flowflare.kinds.surroundings import Surroundings
from flowflare.values.events import Step


def assess(step: Step, around: Surroundings) -> Iterator[Reason]:
    """The sentences about a step, in any order."""
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


def _assess_step(one: ClassStep) -> Iterator[Reason]:
    if one.deleted_classes:
        gone = ", ".join(one.deleted_classes)
        yield loses_data(f"Class migration `{one.tag}` deletes {gone} with all its objects' data.")
    for moved in one.transferred_classes:
        yield loses_data(
            f"Class migration `{one.tag}` moves {moved}: the objects leave the other script, and "
            "only another step brings them back."
        )
