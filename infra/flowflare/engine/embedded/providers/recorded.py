"""Serve a type that the embedded engine cannot make: recorded in a preview, refused by `up`."""

from collections.abc import Sequence
from typing import NoReturn

from flowflare.errors import EngineError
from flowflare.kinds.handler import Diff, Existing, Made
from flowflare.values.properties import Props


class Passive:
    """Serves a type without calls: inputs are compared and kept."""

    def check(self, old: Props, new: Props) -> Props:
        """Return the inputs unchanged."""
        del old
        return new

    def diff(self, old: Existing, new: Props) -> Diff:
        """Return an empty diff, so that old and new inputs are compared."""
        del old, new
        return Diff()

    def foresee(self, old: Existing | None, new: Props) -> Props:
        """Predict the inputs as outputs; an update keeps its other outputs."""
        return {**(old.outputs if old else {}), **new}

    def delete(self, old: Existing) -> None:
        """Do nothing: there is nothing to delete."""

    def recover(self, new: Props) -> Made | None:
        """Return None: there is nothing to find."""
        del new
        return None


class Unmade(Passive):
    """Serves a type that the embedded engine does not make."""

    def refuse(self, *_: object, **__: object) -> NoReturn:
        """Refuse an operation on a resource of this type."""
        raise self.make_refusal()

    create = update = refuse

    def make_refusal(self) -> EngineError:
        """Make the error of a step on a resource of this type."""
        raise NotImplementedError


class RecordedType(Unmade):
    """Serves any other type: a preview records it, and `up` refuses it.

    Args:
        served: the types that can be made.
        is_refused: whether `up` will refuse it, so that a preview says so. It is false for a
            preview of a stack that the Pulumi CLI runs, which makes any type.
    """

    def __init__(self, type_: str, served: Sequence[str], *, is_refused: bool = False) -> None:
        self.is_refused = is_refused
        self._type = type_
        self._served = tuple(served)

    delete = read = recover = Unmade.refuse

    def make_refusal(self) -> EngineError:
        """Make the error of a step on a resource of this type."""
        return EngineError(
            f"the embedded engine cannot create a {self._type}",
            remedy=f"It serves {', '.join(self._served)}. For other types run this stack with the "
            "Pulumi CLI: remove flowflare:engine from its file.",
        )
