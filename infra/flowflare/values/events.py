"""What a run tells the world: steps, plans, events; ready to be shown, nothing secret in them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Op = Literal["create", "update", "replace", "delete", "same"]
#: The note of a deletion that calls nothing.
RETAINED: Final = "kept, only forgotten by the stack (retainOnDelete)"

#: The note of a replacement whose old half is gone already.
HALF_DONE: Final = "was deleted by an earlier run"


@dataclass(frozen=True)
class Change:
    """One place in a resource's inputs that changes.

    Attributes:
        path: the property's path as Pulumi writes it, `placement.mode`; what has a name in a list
            stands under it, `bindings["DB"].id`.
        kind: whether something is added, deleted or updated there.
        old: what was there, as JSON values; None where nothing was.
        new: what will be there. In both, `[secret]` and `[unknown]` stand for such values, and
            size and digest for a long text. A secret that changes reads `[secret]` in both.
        replaces: whether this change is a reason to replace the resource.
        waits_for: names of the resources that an unknown value comes from.
    """

    path: str
    kind: Literal["add", "delete", "update"]
    old: Any = None
    new: Any = None
    replaces: bool = False
    waits_for: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """What is done with one resource.

    Attributes:
        op: a replacement is one step, its old half's deletion included.
        urn: the resource's URN.
        type: its type.
        name: its name in the program.
        custom: False for the stack, components and other groupings.
        changes: what differs; everything is added by a creation.
        replaces: names of the properties that force a replacement.
        delete_before_replace: whether the old one goes before the new one is made.
        note: why, where that is not plain: interrupted, renamed, retained.
        old: the inputs in state, None for a creation; as JSON values, secrets as `[secret]`.
        new: the inputs that the program wants, None for a deletion; unknowns as `[unknown]`.
        outputs: the outputs in state, None for a creation.
        protected: whether state says that it is protected.
        protect: whether the program does; only state is asked about a deletion.
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
    """A resource that could not be brought to what the program wants.

    Attributes:
        urn: its URN.
        name: its name.
        type: its type.
        reason: what went wrong, in the words of who found it.
        kind: `failed`; `protected` where protect stopped it; `skipped` where something that it
            depends on failed.
    """

    urn: str
    name: str
    type: str
    reason: str
    kind: Literal["failed", "protected", "skipped"] = "failed"


@dataclass(frozen=True)
class Event:
    """Something that happens while a run is under way; events come one at a time.

    Attributes:
        kind: `started` and then `done` or `failed` frame a step of `up` and `destroy`; `planned`
            is a step of a preview; `skipped` is a resource left alone since what it depends on
            failed; `note` is a message of the program or the engine.
        step: the step, for all but notes.
        message: a note's text, or why a step failed or was skipped.
        severity: of a note.
        seconds: how long the step took.
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
    """What `up` would do.

    Attributes:
        steps: every resource, in the order in which the program declares them, deletions last.
        outputs: the stack's outputs as they will be, `[secret]` and `[unknown]` in place.
        failures: what `up` would refuse, protected resources above all.
    """

    steps: tuple[Step, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()

    @property
    def changed(self) -> int:
        """How many resources would change; components and the stack itself do not count."""
        return count_changed(self.steps)


@dataclass(frozen=True)
class Update:
    """What `up` or `destroy` has done.

    Attributes:
        steps: every resource, in the order in which the steps ended.
        outputs: the stack's outputs, `[secret]` in place of secrets.
        seconds: how long it took.
    """

    steps: tuple[Step, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def changed(self) -> int:
        """How many resources were changed."""
        return count_changed(self.steps)


def count_changed(steps: tuple[Step, ...]) -> int:
    """How many resources of the account the steps change; components and the stack are none."""
    return sum(step.op != "same" and step.custom for step in steps)
