"""The interface between the engine and the handler of a kind of resource.

Handlers get plain values: secrets are decrypted, numbers are floats. The engine marks the outputs
that were secret inputs as secret again.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from flowflare.errors import ApiError
from flowflare.values.properties import Props, plain


class Stored(Protocol):
    """The part of a resource's record in state that a handler sees."""

    @property
    def id(self) -> str:
        """Its ID."""

    @property
    def inputs(self) -> Props:
        """Its inputs; secrets are marked."""

    @property
    def outputs(self) -> Props:
        """Its outputs; secrets are marked."""


@dataclass(frozen=True)
class Existing:
    """A resource of the state, with plain values."""

    id: str
    inputs: Props
    outputs: Props

    @classmethod
    def of(cls, record: Stored) -> "Existing":
        """Make it from a record of state."""
        return cls(record.id, plain(record.inputs), plain(record.outputs))


@dataclass(frozen=True)
class Diff:
    """A provider's answer: the effect of new inputs on a resource.

    Attributes:
        changes: whether anything changes; None if the provider does not know.
        replaces: changed properties that replace the resource.
        delete_before_replace: whether the old resource must be deleted first.
    """

    changes: bool | None = None
    replaces: tuple[str, ...] = ()
    delete_before_replace: bool = False


@dataclass(frozen=True)
class Made:
    """A resource that a handler has created or found.

    Attributes:
        outputs: all of its outputs, including its inputs.
        certain: whether it is as declared; otherwise the engine updates it.
    """

    id: str
    outputs: Props
    certain: bool = True


class Handler(Protocol):
    """The handler of one kind of resource. It raises if a call fails; the error is the reason."""

    def check(self, old: Props, new: Props) -> Props:
        """Return the inputs to use.

        Args:
            old: the inputs in state; empty for a creation.
            new: the program's inputs, some of which may be unknown in a preview.

        Raises:
            EngineError: some inputs are invalid; it names all of them.
        """

    def diff(self, old: Existing, new: Props) -> Diff:
        """Return the effect of the new inputs; call nothing."""

    def foresee(self, old: Existing | None, new: Props) -> Props:
        """Return the outputs that a preview knows beforehand; call nothing."""

    def create(self, new: Props) -> Made:
        """Create the resource. If the response is lost, find the resource that was created."""

    def update(self, old: Existing, new: Props) -> Props:
        """Change the resource; return all of its outputs."""

    def delete(self, old: Existing) -> None:
        """Delete the resource; a resource that does not exist is a success."""

    def read(self, old: Existing) -> Made | None:
        """Read the resource by its ID; None if it does not exist."""

    def recover(self, new: Props) -> Made | None:
        """Find the resource of a killed creation with these inputs; None if there is none."""


@runtime_checkable
class Completing(Protocol):
    """A handler that completes the records of earlier versions of this engine."""

    def complete_record(self, id_: str, outputs: Props) -> Props:
        """Return an unchanged resource's outputs with everything that a record needs."""


def is_ambiguous(error: BaseException) -> bool:
    """Whether the call may have succeeded despite the error: no response, or an internal error."""
    return isinstance(error, ApiError) and error.doubtful
