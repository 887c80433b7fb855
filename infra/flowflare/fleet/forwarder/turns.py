"""Queue calls until the account's budget allows them, fairly among stacks.

Stacks take turns with one call each, and the calls of a stack keep their order. A stack with a
thousand calls therefore delays another stack's single call by only one call.
"""

import asyncio
import itertools
from collections import deque
from collections.abc import Mapping
from typing import Final

from flowflare.api.budget import NOTICED, Budget
from flowflare.fleet.forwarder.state import BudgetEvent, OnBudgetEvent

#: Calls in progress at one time. The limit in a response's headers includes the calls of other
#: machines. After a wait, the first responses can therefore still delay the last calls.
MOST_AT_ONCE: Final = 32
# Seconds. A shorter timer would fire too early.
_LEAST: Final = 0.005


class HeldTooLong(Exception):  # noqa: N818 -- it is an answer, not a failure
    """A call waited as long as its client waits.

    Args:
        seconds: when to retry.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"must wait another {seconds:.0f} s")
        self.seconds = seconds


class RunEnded(Exception):  # noqa: N818 -- it is an answer, not a failure
    """A call was waiting when its run ended."""


class Turns:
    """The calls to one API, used in one event loop.

    Args:
        budget: the API's budget, which uses the event loop's clock.
        on_event: is called when calls begin to wait for long, and when they no longer wait.
    """

    def __init__(self, budget: Budget, on_event: OnBudgetEvent | None = None) -> None:
        self._budget = budget
        self._on_event = on_event
        self._queues: dict[str, deque[asyncio.Future[None]]] = {}
        self._sending = 0
        self._timer: asyncio.TimerHandle | None = None
        self._waiting_since: float | None = None

    async def take(self, stack: str, patience: float) -> float:
        """Wait for a call's turn and count the call; `give` ends it.

        Args:
            patience: how many seconds the call may wait.

        Returns:
            How many seconds the call waited.

        Raises:
            HeldTooLong: its turn did not come in that time; the call is not counted.
            RunEnded: the run ended while the call waited.
        """
        loop = asyncio.get_running_loop()
        began, turn = loop.time(), loop.create_future()
        self._queues.setdefault(stack, deque()).append(turn)
        self._admit()
        if turn.done():
            return 0.0
        try:
            await asyncio.wait([turn], timeout=patience)
        except asyncio.CancelledError:
            if not turn.done():
                self._forget(stack, turn)
            elif turn.exception() is None:
                self.give()
            raise
        if not turn.done():
            self._forget(stack, turn)
            raise HeldTooLong(self._budget.forecast(1 + self._count()))
        turn.result()
        return loop.time() - began

    def give(self, headers: Mapping[str, str] | None = None) -> None:
        """End a call, and read the limit from its response's headers; None without a response."""
        self._sending -= 1
        self._budget.end(headers)
        self._admit()

    def close(self) -> None:
        """Refuse every waiting call."""
        queues, self._queues = self._queues, {}
        for turn in itertools.chain.from_iterable(queues.values()):
            turn.set_exception(RunEnded())
        self._admit()

    def pause(self, seconds: float) -> None:
        """Delay every call, as the API asked for."""
        self._budget.pause(seconds)

    @property
    def sending(self) -> int:
        """The number of calls in progress."""
        return self._sending

    def waiting(self) -> dict[str, int]:
        """Return the number of waiting calls by stack."""
        return {stack: len(queue) for stack, queue in list(self._queues.items())}

    def next_in(self) -> float:
        """Return the seconds until the next call may be sent."""
        return self._budget.forecast(1)

    def forecast(self, calls: int) -> float:
        """Return the seconds until the waiting calls and so many more can be sent."""
        return self._budget.forecast(calls + self._count())

    def count_remaining(self) -> int:
        """Return how many calls could be sent now."""
        return self._budget.count_remaining()

    # ----------------------------------------------------------------------------------------------

    def _count(self) -> int:
        return sum(self.waiting().values())

    def _admit(self) -> None:
        """Release calls in turn while the budget allows it; otherwise set a timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._queues and self._sending < MOST_AT_ONCE:
            wait = self._budget.attempt()
            if wait > 0:
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(max(wait, _LEAST), self._admit)
                self._report_wait(wait)
                return
            self._sending += 1
            self._next().set_result(None)
        if not self._queues and self._waiting_since is not None:
            took = asyncio.get_running_loop().time() - self._waiting_since
            self._waiting_since = None
            self._report(BudgetEvent("resumed", took))

    def _next(self) -> "asyncio.Future[None]":
        """Take the first call of the next stack, and move that stack to the end."""
        stack = next(iter(self._queues))
        queue = self._queues.pop(stack)
        turn = queue.popleft()
        if queue:
            self._queues[stack] = queue
        return turn

    def _forget(self, stack: str, turn: "asyncio.Future[None]") -> None:
        self._queues[stack].remove(turn)
        if not self._queues[stack]:
            del self._queues[stack]
        if not self._queues:
            self._admit()  # reports that no call waits any more

    def _report_wait(self, seconds: float) -> None:
        if self._waiting_since is None and seconds >= NOTICED:
            self._waiting_since = asyncio.get_running_loop().time()
            self._report(BudgetEvent("waiting", seconds, self.waiting()))

    def _report(self, event: BudgetEvent) -> None:
        if self._on_event is not None:
            # An exception in the callback must not fail the call.
            asyncio.get_running_loop().call_soon(self._on_event, event)
