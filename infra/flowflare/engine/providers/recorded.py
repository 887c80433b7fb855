"""A type that the embedded engine does not make: recorded in a preview, refused when applied."""

from collections.abc import Sequence

from flowflare.errors import EngineError
from flowflare.kinds.handler import Diff, Existing, Made
from flowflare.values.properties import Props


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
