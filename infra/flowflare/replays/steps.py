"""List the steps of a Workflow's class, in the order in which its code calls them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

_NOT_READ = "its code cannot be followed"


@dataclass(frozen=True)
class StepCall:
    """One call of a step.

    Attributes:
        method: `do`, `sleep`, `sleepUntil` or `waitForEvent`; `call` for code that gets the step
            object and that we cannot read, such as a package outside of the bundle.
        name: the step's name; None if it is computed.
        shown: the name as the code writes it.
        signature: the parts of a computed name; equal if it is computed in the same way.
        waits_for: the parts of a sleep's duration, or of the event's type in `waitForEvent`.
        body: a digest of the call's other arguments.
    """

    method: str
    name: str | None
    shown: str
    signature: str
    waits_for: str
    body: str


@dataclass(frozen=True)
class Choice:
    """Alternative branches, each with its calls in order."""

    branches: "tuple[tuple[StepCall | Choice, ...], ...]"


@dataclass(frozen=True)
class Steps:
    """The steps of a Workflow.

    Attributes:
        calls: the calls in order.
        problem: why they could not be read; empty if they could.
    """

    calls: tuple[StepCall | Choice, ...] = ()
    problem: str = ""

    @property
    def flat(self) -> tuple[StepCall, ...]:
        """The calls of all branches, in order."""
        return tuple(_flatten(self.calls))


def _flatten(calls: Sequence[StepCall | Choice]) -> Iterator[StepCall]:
    for call in calls:
        if isinstance(call, StepCall):
            yield call
        else:
            for branch in call.branches:
                yield from _flatten(branch)


@lru_cache(maxsize=64)
def list_steps(code: str, class_name: str) -> Steps:
    """List the steps of a class that a module exports.

    Args:
        code: the ES module, as it is uploaded.
        class_name: the Workflow's class.
    """
    from flowflare.replays.module import Module
    from flowflare.replays.reader import Reader, UnreadableError

    try:
        return Steps(tuple(Reader(Module(code)).read_class(class_name)))
    except UnreadableError as error:
        return Steps(problem=str(error))
    except RecursionError:
        return Steps(problem=_NOT_READ)
