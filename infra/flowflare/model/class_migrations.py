"""The Durable Object history of a script: an append-only list of class migrations.

The API applies steps after the live tag and nothing else; resending a step answers 412/10079. So
the whole history is kept in code, and each run sends what is missing. What a history means is in
`class_history.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from flowflare.errors import ClassMigrationError
from flowflare.model.frozen import Frozen


class RenamedClass(Frozen):
    """A class whose objects go on under another name."""

    old: str = Field(description="Name until now.")
    new: str = Field(description="Name from now on.")


class TransferredClass(Frozen):
    """A class whose objects come over from another script."""

    old: str = Field(description="Name in the other script.")
    from_script: str = Field(description="The other script, as the account calls it.")
    new: str = Field(description="Name in this script.")


class ClassMigration(Frozen):
    """One step of a script's Durable Object history."""

    tag: str = Field(description="Name of the step, unique within the script.")
    new_sqlite_classes: tuple[str, ...] = Field(
        default=(), description="Classes that begin, their storage in SQLite."
    )
    deleted_classes: tuple[str, ...] = Field(
        default=(), description="Classes that end; their objects' data is lost."
    )
    renamed_classes: tuple[RenamedClass, ...] = Field(
        default=(), description="Classes that get another name."
    )
    transferred_classes: tuple[TransferredClass, ...] = Field(
        default=(), description="Classes that come with their objects from another script."
    )

    def step(self) -> dict[str, object]:
        """The step as the API takes it, without its tag and without empty lists."""
        lists = {
            "new_sqlite_classes": list(self.new_sqlite_classes),
            "deleted_classes": list(self.deleted_classes),
            "renamed_classes": [{"from": one.old, "to": one.new} for one in self.renamed_classes],
            "transferred_classes": [
                {"from": one.old, "from_script": one.from_script, "to": one.new}
                for one in self.transferred_classes
            ],
        }
        return {name: value for name, value in lists.items() if value}


#: Flowflare's own history. Append to it; never change or remove a step that was released.
SERVICE_HISTORY = (
    ClassMigration(tag="workflow-tracker-v1", new_sqlite_classes=("WorkflowTracker",)),
)


def service_history(first_tag: str | None = None) -> tuple[ClassMigration, ...]:
    """The service's history; its first step may have another tag where somebody else made it.

    Args:
        first_tag: the tag under which the service's script got its class, None for ours.
    """
    first = SERVICE_HISTORY[0]
    named = first if first_tag is None else first.model_copy(update={"tag": first_tag})
    return (named, *SERVICE_HISTORY[1:])


def pending(
    history: Sequence[ClassMigration], live_tag: str | None, *, script_name: str
) -> tuple[ClassMigration, ...]:
    """The steps that the script has not had yet.

    Args:
        history: the script's whole history, oldest first.
        live_tag: the tag that Cloudflare reports, None or empty for none.
        script_name: the script, for the error.

    Raises:
        ClassMigrationError: the live tag is not in the history; replaying it would lose objects.
    """
    if not live_tag:
        return tuple(history)
    tags = [step.tag for step in history]
    if live_tag not in tags:
        message = (
            f"{script_name}: the live class migration tag {live_tag!r} is not in the history "
            f"({', '.join(tags)})"
        )
        remedy = "Was it deployed by a newer release or by hand? Nothing is replayed over it."
        raise ClassMigrationError(message, remedy=remedy)
    return tuple(history[tags.index(live_tag) + 1 :])


def upload_block(
    steps: Sequence[ClassMigration], live_tag: str | None, *, last_tag: str | None = None
) -> dict[str, object] | None:
    """The `migrations` of an upload's metadata for those steps, None when there are none.

    Args:
        steps: what is sent, oldest first.
        live_tag: the tag that Cloudflare reports, None or empty for none.
        last_tag: the tag that is live afterwards, where it is not the last step's.
    """
    new_tag = last_tag or (steps[-1].tag if steps else None)
    if new_tag is None:
        return None
    block: dict[str, object] = {"new_tag": new_tag}
    if steps:
        block["steps"] = [one.step() for one in steps]
    return {"old_tag": live_tag} | block if live_tag else block


def to_wire(history: Sequence[ClassMigration]) -> list[dict[str, object]]:
    """The history as plain values, tags included; what a stack's state keeps."""
    return [{"tag": migration.tag} | migration.step() for migration in history]


def from_wire(history: Sequence[Mapping[str, Any]]) -> tuple[ClassMigration, ...]:
    """The history out of plain values."""
    return tuple(
        ClassMigration(
            tag=step["tag"],
            new_sqlite_classes=tuple(step.get("new_sqlite_classes") or ()),
            deleted_classes=tuple(step.get("deleted_classes") or ()),
            renamed_classes=tuple(
                RenamedClass(old=one["from"], new=one["to"])
                for one in step.get("renamed_classes") or ()
            ),
            transferred_classes=tuple(
                TransferredClass(old=one["from"], from_script=one["from_script"], new=one["to"])
                for one in step.get("transferred_classes") or ()
            ),
        )
        for step in history
    )


def history_problem(old: Sequence[ClassMigration], new: Sequence[ClassMigration]) -> str | None:
    """What is wrong with a new history, None where it is the old one with steps appended."""
    for position, step in enumerate(old):
        if position >= len(new):
            return (
                f"the class migration {step.tag!r} was applied and is missing from the history; "
                "use a release that has it"
            )
        if new[position] != step:
            return (
                f"the class migration {step.tag!r} was applied and is another one now; restore it "
                "and append a new step instead"
            )
    return None
