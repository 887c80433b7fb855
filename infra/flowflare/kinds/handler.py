"""What the engine asks of a kind of resource, and the plain data that goes in and out.

Handlers see plain values: secrets opened, numbers as floats. The engine marks as secret in their
answers what was secret in their inputs.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from flowflare.errors import ApiError
from flowflare.values.properties import Props, plain


class Stored(Protocol):
    """A resource's record in state, as far as a handler sees it."""

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
    """A resource that state holds, in plain values."""

    id: str
    inputs: Props
    outputs: Props

    @classmethod
    def of(cls, record: Stored) -> "Existing":
        """A state record, opened."""
        return cls(record.id, plain(record.inputs), plain(record.outputs))


@dataclass(frozen=True)
class Diff:
    """A provider's answer to what changing a resource would mean.

    Attributes:
        changes: whether anything changes; None where the provider does not know.
        replaces: properties that can only change by replacing the resource.
        delete_before_replace: whether the old one must go first.
    """

    changes: bool | None = None
    replaces: tuple[str, ...] = ()
    delete_before_replace: bool = False


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
