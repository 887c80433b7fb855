"""What a store is: objects under keys, each with a tag by which a write can be made conditional.

A key is a path with `/` and without a leading one, such as `.pulumi/stacks/p/dev.json`. An object
is read and replaced whole: nobody sees half of one. A write that names a tag is done only if the
object still has it, so that of two writers who have read the same thing one is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

#: For `only_if`: nothing may be there yet.
ABSENT: Final = "absent"


@dataclass(frozen=True)
class Stored:
    """An object as it was read.

    Attributes:
        data: its content.
        tag: its version: objects with the same tag have the same content.
        modified: when it was written, in seconds since 1970 by the store's clock, which some
            stores count in whole seconds. Only to be compared with other objects of the store.
    """

    data: bytes
    tag: str
    modified: float = 0.0


class Store(Protocol):
    """A place that keeps objects; threads may share it.

    Every method raises StateError where the store cannot be reached or refuses.

    Attributes:
        url: where it is, as it is shown to people: without credentials and options.
    """

    @property
    def url(self) -> str:
        """Where it is, as it is shown to people: without credentials and options."""

    @property
    def is_remote(self) -> bool:
        """Whether it is a service that other machines reach too, so that a check of it pays."""

    def shown(self, key: str) -> str:
        """Where an object is, as it is shown to people."""

    def get(self, key: str) -> Stored | None:
        """Reads an object, None where there is none."""

    def put(self, key: str, data: bytes, *, only_if: str | None = None) -> str:
        """Writes an object whole; it is there for good when this returns.

        Args:
            key: which.
            data: its content.
            only_if: a tag that it must have now, or ABSENT for one that must not be there; None
                to write it whatever is there.

        Returns:
            Its tag from now on.

        Raises:
            ConflictError: `only_if` does not hold; nothing was written.
        """

    def copy(self, source: str, target: str) -> bool:
        """Makes the target what the source is now; whether there is such a source."""

    def delete(self, key: str, *, only_if: str | None = None) -> None:
        """Removes an object; it is no error if there is none.

        Args:
            key: which.
            only_if: a tag that it must have now.

        Raises:
            ConflictError: it is there with another tag.
        """

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin with a text, sorted."""

    def tags(self, prefix: str, *, ending: str | tuple[str, ...] = "") -> dict[str, str]:
        """The tags of the objects whose keys begin, and end, with a text; nothing else is read.

        Of several endings the key has one.
        """

    def read_many(self, keys: Sequence[str]) -> dict[str, Stored]:
        """Reads several objects, at once where that is faster; absent ones are left out."""
