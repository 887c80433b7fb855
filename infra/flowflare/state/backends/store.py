"""The interface of a store: objects under keys, each with a tag for conditional writes.

A key is a path without a leading `/`, such as `.pulumi/stacks/p/dev.json`. Objects are read and
replaced as a whole. A write that names a tag only succeeds if the object still has that tag: of two
writers that have read the same version, one is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

#: For `only_if`: the object must not exist yet.
ABSENT: Final = "absent"


@dataclass(frozen=True)
class StoredObject:
    """An object that was read.

    Attributes:
        tag: its version: objects with the same tag have the same content.
        modified: when it was written, in seconds since 1970 by the store's clock; some stores
            round to whole seconds. Only compare it with other objects of the same store.
    """

    data: bytes
    tag: str
    modified: float = 0.0


class Store(Protocol):
    """A place that keeps objects; threads may share it.

    Every method raises StateError if the store cannot be reached or refuses.
    """

    @property
    def url(self) -> str:
        """Its URL for messages, without credentials and options."""

    @property
    def is_remote(self) -> bool:
        """Whether it is a service that other machines reach too, and should be checked."""

    def describe(self, key: str) -> str:
        """Return the path or URL of an object, for messages."""

    def get(self, key: str) -> StoredObject | None:
        """Read an object; None if it does not exist."""

    def put(self, key: str, data: bytes, *, only_if: str | None = None) -> str:
        """Write a whole object durably, and return its new tag.

        Args:
            only_if: the tag that the object must have now, or ABSENT if it must not exist; None
                to write unconditionally.

        Raises:
            ConflictError: the condition `only_if` is not met; nothing was written.
        """

    def copy(self, source: str, target: str) -> bool:
        """Copy the source to the target, and return whether the source exists."""

    def delete(self, key: str, *, only_if: str | None = None) -> None:
        """Remove an object, if it exists.

        Args:
            only_if: the tag that the object must have now.

        Raises:
            ConflictError: the object has another tag.
        """

    def keys(self, prefix: str) -> list[str]:
        """List the keys that begin with a string, sorted."""

    def tags(self, prefix: str, *, ending: str | tuple[str, ...] = "") -> dict[str, str]:
        """Return the tags of objects by key, without their content.

        Args:
            ending: what the keys end with; of several endings, any.
        """

    def read_many(self, keys: Sequence[str]) -> dict[str, StoredObject]:
        """Read several objects, concurrently if that is faster. Missing objects are skipped."""
