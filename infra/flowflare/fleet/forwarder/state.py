"""What the forwarder tells: how much of the budget is left, and who waits for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class BudgetState:
    """The budget at one moment; of several APIs the one that has least left.

    Attributes:
        left: calls that could be sent now; None where the API tells of no limit.
        limit: calls that a window has for this run, the reserve taken off; None for no limit.
        window: the window in seconds.
        sending: calls that are under way.
        waiting: how many calls of which stacks are held back.
        seconds: until the next of them is sent, 0 where none waits.
    """

    left: int | None
    limit: int | None
    window: float
    sending: int = 0
    waiting: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class BudgetEvent:
    """Calls begin to be held back, or go on.

    Attributes:
        kind: `waiting` or `resumed`.
        seconds: until the first of them is sent; of `resumed`, how long it took.
        waiting: how many calls of which stacks are held back.
    """

    kind: Literal["waiting", "resumed"]
    seconds: float
    waiting: Mapping[str, int] = field(default_factory=dict)


#: Is told in the forwarder's own thread, and must not wait there.
OnBudgetEvent = Callable[[BudgetEvent], None]
