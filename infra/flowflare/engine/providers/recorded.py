"""A type that the embedded engine does not make: recorded in a preview, refused by `up`."""

from collections.abc import Sequence

from flowflare.errors import EngineError
from flowflare.kinds.handler import Diff, Existing, Made
from flowflare.values.properties import Props


class Recorded:
    """Any other type: recorded in a preview, refused when it is to be made.

    Args:
        type_: the type's token.
        served: the types that can be made.
        is_refused: whether `up` will refuse it, so that a preview says so. It is false for a
            preview of a stack that the Pulumi CLI runs, which makes any type.
    """

    def __init__(self, type_: str, served: Sequence[str], *, is_refused: bool = False) -> None:
        self.is_refused = is_refused
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
        raise self.make_refusal()

    def update(self, old: Existing, new: Props) -> Props:
        """Refuses."""
        del old, new
        raise self.make_refusal()

    def delete(self, old: Existing) -> None:
        """Refuses."""
        del old
        raise self.make_refusal()

    def read(self, old: Existing) -> Made | None:
        """Refuses."""
        del old
        raise self.make_refusal()

    def recover(self, new: Props) -> Made | None:
        """Refuses."""
        del new
        raise self.make_refusal()

    def make_refusal(self) -> EngineError:
        """Make the error of a step on a resource of this type."""
        return EngineError(
            f"the embedded engine cannot make a {self._type}",
            remedy=f"It serves {', '.join(self._served)}. For other types run this stack with the "
            "Pulumi CLI: remove flowflare:engine from its file.",
        )
