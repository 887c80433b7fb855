"""Holds calls back until the account's budget has a place for them, and is fair among stacks.

Stacks take turns, one call each; the calls of a stack keep their order. A stack with a thousand
calls holds one with a single call back by one call.
"""

import asyncio
import itertools
from collections import deque
from collections.abc import Mapping
from typing import Final

from flowflare.api.budget import NOTICED, Budget
from flowflare.fleet.forwarder.state import BudgetEvent, OnBudgetEvent

#: Calls that are under way at one time: a burst after a wait is not sent at once, so that what the
#: first answers tell of other machines reaches the last calls.
MOST_AT_ONCE: Final = 32
# A timer for less would wake up for nothing.
_LEAST: Final = 0.005


class HeldTooLong(Exception):  # noqa: N818 -- it is an answer, not a failure
    """A call waited as long as its client does.

    Args:
        seconds: until it is worth coming again.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"held back for {seconds:.0f} s more")
        self.seconds = seconds


class RunEnded(Exception):  # noqa: N818 -- it is an answer, not a failure
    """A call was held back when its run ended."""


class Turns:
    """The calls to one API; used in one event loop.

    Args:
        budget: the API's; its clock is the loop's.
        on_event: is told when calls begin to be held back for long, and when they go on.
    """

    def __init__(self, budget: Budget, on_event: OnBudgetEvent | None = None) -> None:
        self._budget = budget
        self._on_event = on_event
        self._queues: dict[str, deque[asyncio.Future[None]]] = {}
        self._sending = 0
        self._timer: asyncio.TimerHandle | None = None
        self._told_at: float | None = None

    async def take(self, stack: str, patience: float) -> float:
        """Waits for a call's turn, and counts it; `give` ends it.

        Args:
            stack: whose call it is.
            patience: seconds that it may be held back.

        Returns:
            The seconds that it waited.

        Raises:
            HeldTooLong: its turn did not come in that time; it is not counted.
            RunEnded: nor will it come.
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
        """Ends a call with what its answer's headers say of the limit; None without an answer."""
        self._sending -= 1
        self._budget.end(headers)
        self._admit()

    def close(self) -> None:
        """Sends away whoever waits."""
        queues, self._queues = self._queues, {}
        for turn in itertools.chain.from_iterable(queues.values()):
            turn.set_exception(RunEnded())
        self._admit()

    def pause(self, seconds: float) -> None:
        """Holds every call back, as the API asked for."""
        self._budget.pause(seconds)

    @property
    def sending(self) -> int:
        """How many calls are under way."""
        return self._sending

    def waiting(self) -> dict[str, int]:
        """How many calls of which stacks are held back."""
        return {stack: len(queue) for stack, queue in list(self._queues.items())}

    def next_in(self) -> float:
        """Seconds until the next call may be sent."""
        return self._budget.forecast(1)

    def forecast(self, calls: int) -> float:
        """Seconds until those that wait, and so many more, can have been sent."""
        return self._budget.forecast(calls + self._count())

    def left(self) -> int:
        """How many calls could be sent now."""
        return self._budget.count_remaining()

    # ----------------------------------------------------------------------------------------------

    def _count(self) -> int:
        return sum(self.waiting().values())

    def _admit(self) -> None:
        """Lets calls go, in turn, as long as the budget has places; else comes back in time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._queues and self._sending < MOST_AT_ONCE:
            wait = self._budget.attempt()
            if wait > 0:
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(max(wait, _LEAST), self._admit)
                self._tell(wait)
                return
            self._sending += 1
            self._next().set_result(None)
        if not self._queues and self._told_at is not None:
            took = asyncio.get_running_loop().time() - self._told_at
            self._told_at = None
            self._say(BudgetEvent("resumed", took))

    def _next(self) -> "asyncio.Future[None]":
        """Takes the first call of the stack whose turn it is; the stack goes to the end."""
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
            self._admit()  # nobody waits any more, which is said

    def _tell(self, seconds: float) -> None:
        if self._told_at is None and seconds >= NOTICED:
            self._told_at = asyncio.get_running_loop().time()
            self._say(BudgetEvent("waiting", seconds, self.waiting()))

    def _say(self, event: BudgetEvent) -> None:
        if self._on_event is not None:
            # Whatever goes wrong there is not the call's trouble.
            asyncio.get_running_loop().call_soon(self._on_event, event)
