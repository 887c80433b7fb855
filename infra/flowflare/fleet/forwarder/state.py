"""Describe the forwarder's state: the remaining budget, and which stacks wait for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class BudgetState:
    """The budget at one moment; of several APIs, the budget with the fewest remaining calls.

    Attributes:
        left: calls that could be sent now; None if the API states no limit.
        limit: calls that this run may make in a window, without the reserve; None for no limit.
        window: the window in seconds.
        sending: calls that are in progress.
        waiting: the number of waiting calls by stack.
        seconds: until the next waiting call is sent; 0 if no call waits.
    """

    left: int | None
    limit: int | None
    window: float
    sending: int = 0
    waiting: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class BudgetEvent:
    """Calls begin to wait, or no longer wait.

    Attributes:
        kind: `waiting` or `resumed`.
        seconds: of `waiting`, until the first call is sent; of `resumed`, how long calls waited.
        waiting: the number of waiting calls by stack.
    """

    kind: Literal["waiting", "resumed"]
    seconds: float
    waiting: Mapping[str, int] = field(default_factory=dict)


#: Is called in the forwarder's own thread, and must not block it.
OnBudgetEvent = Callable[[BudgetEvent], None]
