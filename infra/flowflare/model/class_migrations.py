"""Define the Durable Object class migrations of a script: an append-only list.

The API applies only steps after the live tag; it answers 412/10079 if a step is sent again. So the
whole history is in code, and each run sends the missing steps. `class_history.py` analyses it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from flowflare.errors import ClassMigrationError
from flowflare.model.frozen import Frozen


class RenamedClass(Frozen):
    """A class whose objects continue under another name."""

    old: str = Field(description="The old name.")
    new: str = Field(description="The new name.")


class TransferredClass(Frozen):
    """A class whose objects are moved from another script."""

    old: str = Field(description="The name in the other script.")
    from_script: str = Field(description="The other script's name in the account.")
    new: str = Field(description="The name in this script.")


class ClassMigration(Frozen):
    """One step of a script's class migrations."""

    tag: str = Field(description="The step's tag, unique within the script.")
    new_sqlite_classes: tuple[str, ...] = Field(
        default=(), description="New classes, with storage in SQLite."
    )
    deleted_classes: tuple[str, ...] = Field(
        default=(), description="Deleted classes; their objects' data is lost."
    )
    renamed_classes: tuple[RenamedClass, ...] = Field(default=(), description="Renamed classes.")
    transferred_classes: tuple[TransferredClass, ...] = Field(
        default=(), description="Classes moved with their objects from another script."
    )

    def step(self) -> dict[str, object]:
        """Convert the step to the API's form, without its tag and without empty lists."""
        lists = {
            "new_sqlite_classes": list(self.new_sqlite_classes),
            "deleted_classes": list(self.deleted_classes),
            "renamed_classes": [
                {"from": item.old, "to": item.new} for item in self.renamed_classes
            ],
            "transferred_classes": [
                {"from": item.old, "from_script": item.from_script, "to": item.new}
                for item in self.transferred_classes
            ],
        }
        return {name: value for name, value in lists.items() if value}


#: Flowflare's own class migrations. Append to them; never change or remove a released step.
SERVICE_HISTORY = (
    ClassMigration(tag="workflow-tracker-v1", new_sqlite_classes=("WorkflowTracker",)),
)


def make_service_history(first_tag: str | None = None) -> tuple[ClassMigration, ...]:
    """Return the service's class migrations; a script made elsewhere may have another first tag.

    Args:
        first_tag: the tag with which the service's script got its class; None for ours.
    """
    first = SERVICE_HISTORY[0]
    named = first if first_tag is None else first.model_copy(update={"tag": first_tag})
    return (named, *SERVICE_HISTORY[1:])


def list_pending(
    history: Sequence[ClassMigration], live_tag: str | None, *, script_name: str
) -> tuple[ClassMigration, ...]:
    """Return the steps that the script does not have yet.

    Args:
        history: all class migrations of the script, oldest first.
        live_tag: the tag that Cloudflare reports; None or empty without one.
        script_name: the script's name, for the error.

    Raises:
        ClassMigrationError: the history does not contain the live tag; replaying would lose
            objects.
    """
    if not live_tag:
        return tuple(history)
    tags = [step.tag for step in history]
    if live_tag not in tags:
        message = (
            f"{script_name}: the live class migration tag {live_tag!r} is not in the history "
            f"({', '.join(tags)})"
        )
        remedy = "A newer release or a deployment by hand may have set it. Nothing was sent."
        raise ClassMigrationError(message, remedy=remedy)
    return tuple(history[tags.index(live_tag) + 1 :])


def make_upload_block(
    steps: Sequence[ClassMigration], live_tag: str | None, *, last_tag: str | None = None
) -> dict[str, object] | None:
    """Return the `migrations` of an upload's metadata for the steps; None without steps.

    Args:
        steps: the steps to send, oldest first.
        live_tag: the tag that Cloudflare reports; None or empty without one.
        last_tag: the tag that is live afterwards, if it is not the last step's.
    """
    new_tag = last_tag or (steps[-1].tag if steps else None)
    if new_tag is None:
        return None
    block: dict[str, object] = {"new_tag": new_tag}
    if steps:
        block["steps"] = [step.step() for step in steps]
    return {"old_tag": live_tag} | block if live_tag else block


def to_wire(history: Sequence[ClassMigration]) -> list[dict[str, object]]:
    """Convert class migrations with their tags to plain values, for a stack's state."""
    return [{"tag": migration.tag} | migration.step() for migration in history]


def from_wire(history: Sequence[Mapping[str, Any]]) -> tuple[ClassMigration, ...]:
    """Read class migrations from plain values."""
    return tuple(
        ClassMigration(
            tag=step["tag"],
            new_sqlite_classes=tuple(step.get("new_sqlite_classes") or ()),
            deleted_classes=tuple(step.get("deleted_classes") or ()),
            renamed_classes=tuple(
                RenamedClass(old=item["from"], new=item["to"])
                for item in step.get("renamed_classes") or ()
            ),
            transferred_classes=tuple(
                TransferredClass(old=item["from"], from_script=item["from_script"], new=item["to"])
                for item in step.get("transferred_classes") or ()
            ),
        )
        for step in history
    )


def find_history_problem(
    old: Sequence[ClassMigration], new: Sequence[ClassMigration]
) -> str | None:
    """Explain what is wrong with new class migrations; None if they only append to the old."""
    for position, step in enumerate(old):
        if position >= len(new):
            return (
                f"the class migration {step.tag!r} was applied and is missing from the history; "
                "use a release that has it"
            )
        if new[position] != step:
            return (
                f"the class migration {step.tag!r} was applied and is different now; restore it "
                "and append a new step instead"
            )
    return None
