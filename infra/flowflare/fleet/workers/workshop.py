"""Start the workers of a fleet command, and the forwarder with the budget that they share."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from flowflare.fleet.engines import MEMORY_OF_CLI, CheckedEnvirons
from flowflare.fleet.forwarder.limit import CallLimit, reserve_of
from flowflare.fleet.forwarder.server import Forwarder
from flowflare.fleet.forwarder.state import OnBudgetEvent
from flowflare.fleet.session import FleetSession
from flowflare.fleet.workers.pool import OnTaskEvent, Pool, Result, Task
from flowflare.fleet.workers.worker import MEMORY, default_workers


@dataclass(frozen=True)
class Workshop:
    """The workers and the budget that they share."""

    workers: Pool
    forwarder: Forwarder

    def run(self, tasks: Iterable[Task], on_event: OnTaskEvent | None = None) -> Iterator[Result]:
        """Run tasks in the pool, and count their calls with the forwarder."""
        before = self.forwarder.counts()
        for result in self.workers.run(tasks, on_event):
            stack, now = result.task.stack, self.forwarder.counts()
            calls = now.get(stack, 0) - before.get(stack, 0)
            before = {**before, stack: now.get(stack, 0)}
            yield replace(result, api_calls=max(calls, result.api_calls))

    def stop(self) -> None:
        """Start no more tasks."""
        self.workers.stop()


@contextmanager
def open_workshop(
    session: FleetSession, workers: int | None, on_budget: OnBudgetEvent | None = None
) -> Iterator[Workshop]:
    """Start the forwarder; workers are started when there are tasks.

    Args:
        workers: how many processes; None for the number that cores and memory allow.
        on_budget: is called when calls wait for the account's budget.
    """
    needs_cli = session.needs_cli
    count = workers or default_workers(MEMORY_OF_CLI if needs_cli else MEMORY)
    environs = CheckedEnvirons(session.fleet.project, session.environ_of, needs_cli=needs_cli)
    reserve = reserve_of(session.environ)
    limit_of: Callable[[str], CallLimit] = lambda upstream: CallLimit.of(upstream, reserve)  # noqa: E731
    with (
        Forwarder(limit_of=limit_of, on_event=on_budget) as forwarder,
        Pool(session, environs.environ_of, count, forwarder.address) as pool,
    ):
        yield Workshop(pool, forwarder)
