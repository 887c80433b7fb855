"""The results of a run: steps, plans and events, without secrets, for reports."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Op = Literal["create", "update", "replace", "delete", "same"]
#: The note of a deletion that calls nothing.
RETAINED: Final = "kept, only forgotten by the stack (retainOnDelete)"

#: The note of a replacement whose old resource was deleted before.
HALF_DONE: Final = "was deleted by an earlier run"


@dataclass(frozen=True)
class Change:
    """One place in a resource's inputs that changes.

    Attributes:
        path: the property's path in Pulumi's notation, `placement.mode`; an item of a list with a
            name has the name as its key, `bindings["DB"].id`.
        kind: whether something is added, deleted or updated there.
        old: the old value, as JSON values; None if there was none.
        new: the new value. In both, `[secret]` and `[unknown]` replace such values, and size and
            digest replace a long text. A changed secret is `[secret]` in both.
        replaces: whether this change is a reason to replace the resource.
        waits_for: names of the resources whose outputs an unknown value needs.
    """

    path: str
    kind: Literal["add", "delete", "update"]
    old: Any = None
    new: Any = None
    replaces: bool = False
    waits_for: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """The operation on one resource.

    Attributes:
        op: the operation; a replacement is one step, with the deletion of the old resource.
        custom: False for the stack and components.
        changes: the changes; a creation adds all properties.
        replaces: names of the properties that force a replacement.
        delete_before_replace: whether the old resource is deleted before the new one is created.
        note: an explanation, if necessary: interrupted, renamed, retained.
        old: the inputs in state, None for a creation; as JSON values, secrets as `[secret]`.
        new: the inputs in the program, None for a deletion; unknowns as `[unknown]`.
        outputs: the outputs in state, None for a creation.
        protected: whether it is protected in state, which decides about a deletion.
        protect: whether it is protected in the program.
    """

    op: Op
    urn: str
    type: str
    name: str
    custom: bool = True
    changes: tuple[Change, ...] = ()
    replaces: tuple[str, ...] = ()
    delete_before_replace: bool = False
    note: str = ""
    old: Mapping[str, Any] | None = None
    new: Mapping[str, Any] | None = None
    outputs: Mapping[str, Any] | None = None
    protected: bool = False
    protect: bool = False


@dataclass(frozen=True)
class Failure:
    """A resource whose operation failed or was refused.

    Attributes:
        reason: the error's message.
        kind: `failed`; `protected` if `protect` refused the operation; `skipped` if a resource that
            it depends on failed.
    """

    urn: str
    name: str
    type: str
    reason: str
    kind: Literal["failed", "protected", "skipped"] = "failed"


@dataclass(frozen=True)
class Event:
    """An event of a run; listeners get events one at a time.

    Attributes:
        kind: `started` and then `done` or `failed` for a step of `up` and `destroy`; `planned` for
            a step of a preview; `skipped` for a resource that is not changed because a resource
            that it depends on failed; `note` for a message of the program or the engine.
        step: the step; None for a note.
        message: a note's text, or the reason why a step failed or was skipped.
        seconds: the duration of the step.
    """

    kind: Literal["planned", "started", "done", "failed", "skipped", "note"]
    step: Step | None = None
    message: str = ""
    severity: Literal["info", "warning", "error"] = "info"
    seconds: float = 0.0


OnEvent = Callable[[Event], None]


def warn(on_event: OnEvent | None, message: str) -> None:
    """Report a warning to a listener, if there is one."""
    if on_event is not None:
        on_event(Event("note", message=message, severity="warning"))


@dataclass(frozen=True)
class Plan:
    """The result of a preview.

    Attributes:
        steps: a step for each resource in the order of the program, deletions last.
        outputs: the future outputs of the stack, with `[secret]` and `[unknown]`.
        failures: operations that `up` would refuse, mostly on protected resources.
    """

    steps: tuple[Step, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()

    @property
    def changed(self) -> int:
        """The number of resources that would change, without components and the stack."""
        return count_changed(self.steps)


@dataclass(frozen=True)
class Update:
    """The result of `up` or `destroy`.

    Attributes:
        steps: a step for each resource, in the order in which the steps ended.
        outputs: the stack's outputs, with `[secret]` instead of secrets.
        seconds: the duration.
    """

    steps: tuple[Step, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def changed(self) -> int:
        """The number of resources that were changed."""
        return count_changed(self.steps)


def count_changed(steps: tuple[Step, ...]) -> int:
    """Count the resources that the steps change, without components and the stack."""
    return sum(step.op != "same" and step.custom for step in steps)
