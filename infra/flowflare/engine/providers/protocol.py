"""What the engine asks of a kind of resource, and the plain data that goes in and out.

Handlers see plain values: secrets opened, numbers as floats. The engine marks as secret in their
answers what was secret in their inputs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from flowflare.engine.plan import Diff
from flowflare.errors import ApiError, EngineError
from flowflare.state.checkpoint import Resource
from flowflare.values.properties import Props, plain


@dataclass(frozen=True)
class Existing:
    """A resource that state holds, in plain values."""

    id: str
    inputs: Props
    outputs: Props

    @classmethod
    def of(cls, record: Resource) -> "Existing":
        """A state record, opened."""
        return cls(record.id, plain(record.inputs), plain(record.outputs))


@dataclass(frozen=True)
class Made:
    """A resource that a handler has made or found.

    Attributes:
        id: its id.
        outputs: all of its outputs, its inputs among them.
        certain: whether it is there as asked for; where it is not, the engine updates it.
    """

    id: str
    outputs: Props
    certain: bool = True


class Handler(Protocol):
    """Serves one kind of resource. Whatever may fail raises; its text is shown as the reason."""

    def check(self, old: Props, new: Props) -> Props:
        """Returns the inputs to use.

        Args:
            old: the inputs in state, empty on a creation.
            new: the program's inputs; in a preview some may be unknown.

        Raises:
            EngineError: inputs that cannot work, every one named.
        """

    def diff(self, old: Existing, new: Props) -> Diff:
        """Says what the new inputs would mean; calls nothing."""

    def foresee(self, old: Existing | None, new: Props) -> Props:
        """The outputs that a preview can know before anything is done; calls nothing."""

    def create(self, new: Props) -> Made:
        """Makes the resource. After a lost answer it finds what it made instead of a second one."""

    def update(self, old: Existing, new: Props) -> Props:
        """Changes the resource and returns all of its outputs."""

    def delete(self, old: Existing) -> None:
        """Removes the resource; one that is already gone is a success."""

    def read(self, old: Existing) -> Made | None:
        """Looks the resource up by its id; None where it is gone."""

    def recover(self, new: Props) -> Made | None:
        """Finds what a creation that was killed may have made of these inputs; None for nothing."""


@runtime_checkable
class Completing(Protocol):
    """A handler that completes records which an earlier version of this engine wrote."""

    def completed(self, id_: str, outputs: Props) -> Props:
        """Return an unchanged resource's outputs with everything that a record needs."""


def is_ambiguous(error: BaseException) -> bool:
    """Whether what ended so may have been done all the same: no answer came, or the API's fault."""
    return isinstance(error, ApiError) and error.doubtful


class Recorded:
    """Any other type: recorded in a preview, refused when it is to be made.

    Args:
        type_: the type's token.
        served: the types that can be made.
    """

    def __init__(self, type_: str, served: Sequence[str]) -> None:
        self._type = type_
        self._served = tuple(served)

    def check(self, old: Props, new: Props) -> Props:
        """Takes the inputs as they are."""
        del old
        return new

    def diff(self, old: Existing, new: Props) -> Diff:
        """Does not know, so that inputs are compared with inputs."""
        del old, new
        return Diff()

    def foresee(self, old: Existing | None, new: Props) -> Props:
        """Foresees the inputs, and of an update the other outputs as they were."""
        return {**(old.outputs if old else {}), **new}

    def create(self, new: Props) -> Made:
        """Refuses."""
        del new
        raise self._refusal()

    def update(self, old: Existing, new: Props) -> Props:
        """Refuses."""
        del old, new
        raise self._refusal()

    def delete(self, old: Existing) -> None:
        """Refuses."""
        del old
        raise self._refusal()

    def read(self, old: Existing) -> Made | None:
        """Refuses."""
        del old
        raise self._refusal()

    def recover(self, new: Props) -> Made | None:
        """Refuses."""
        del new
        raise self._refusal()

    def _refusal(self) -> EngineError:
        return EngineError(
            f"the embedded engine cannot make a {self._type}",
            remedy=f"It serves {', '.join(self._served)}. For other types run this stack with the "
            "Pulumi CLI: remove flowflare:engine from its file.",
        )
