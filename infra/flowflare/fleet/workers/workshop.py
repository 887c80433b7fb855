"""The workers that a command over many tenants has, and the account's budget that they share."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flowflare.fleet.workers.pool import OnTaskEvent, Pool, Result, Task

if TYPE_CHECKING:
    from flowflare.fleet.forwarder import Forwarder, OnBudgetEvent
    from flowflare.fleet.session import Session


@dataclass(frozen=True)
class Workshop:
    """Workers and the budget that they share.

    Attributes:
        workers: the processes.
        forwarder: what their calls go through.
    """

    workers: Pool
    forwarder: "Forwarder"

    def run(self, tasks: Iterable[Task], on_event: OnTaskEvent | None = None) -> Iterator[Result]:
        """Does tasks as the pool does; the calls of each are those that the forwarder counted."""
        before = self.forwarder.counts()
        for result in self.workers.run(tasks, on_event):
            stack, now = result.task.stack, self.forwarder.counts()
            calls = now.get(stack, 0) - before.get(stack, 0)
            before = {**before, stack: now.get(stack, 0)}
            yield replace(result, api_calls=max(calls, result.api_calls))

    def stop(self) -> None:
        """Hands out no more tasks."""
        self.workers.stop()


@contextmanager
def workshop(
    session: "Session", workers: int | None, on_budget: "OnBudgetEvent | None" = None
) -> Iterator[Workshop]:
    """Starts the forwarder; workers are started when there is something to do.

    Args:
        session: whose stacks are worked on.
        workers: how many processes; None for what cores and memory allow.
        on_budget: is told when calls wait for the account's budget.
    """
    from flowflare.fleet.engines import MEMORY_OF_CLI, Prepared
    from flowflare.fleet.forwarder import Forwarder, Limit
    from flowflare.fleet.forwarder.limit import reserve_of
    from flowflare.fleet.workers.worker import MEMORY, default_workers

    needs_cli = session.needs_cli
    count = workers or default_workers(MEMORY_OF_CLI if needs_cli else MEMORY)
    prepared = Prepared(session.root, session.environ_of, needs_cli=needs_cli)
    reserve = reserve_of(session.environ)
    limit_of: Callable[[str], Limit] = lambda upstream: Limit.of(upstream, reserve)  # noqa: E731
    with (
        Forwarder(limit_of=limit_of, on_event=on_budget) as forwarder,
        Pool(session.root, prepared.environ_of, count, forwarder.address) as pool,
    ):
        yield Workshop(pool, forwarder)
