"""What the commands share that work on many tenants: rules, signals, the budget's word."""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from flowflare.errors import FleetError

if TYPE_CHECKING:
    from flowflare.cli.fleet.display import Picture
    from flowflare.fleet.forwarder import BudgetEvent
    from flowflare.fleet.rollout.events import Emit
    from flowflare.fleet.rollout.retire import RemovalResult
    from flowflare.fleet.rollout.rollout import RolloutRules
    from flowflare.fleet.session import FleetSession


def refuse_left(removed: "RemovalResult", what: str, emit: "Emit", seconds: float) -> None:
    """Ends a command that could not take everybody away.

    Args:
        removed: how it ended.
        what: what was asked for: `retired` or `destroyed`.
        emit: is told who is where.
        seconds: how long it took.

    Raises:
        FleetError: somebody could not be taken away.
    """
    if not removed.failed:
        return
    from flowflare.fleet.rollout import events

    reason = f"could not be {what}: {', '.join(removed.failed)}"
    remedy = f"Put the cause right, then run it again: {again()}"
    where = events.TenantsByProgress(done=removed.removed, failed=removed.failed)
    emit(events.Stopped(rollout="", reason=reason, where=where, remedy=remedy, seconds=seconds))
    raise FleetError(reason, remedy=remedy)


def rules_of(max_failures: int = 1) -> "RolloutRules":
    """How a rollout of this command is run."""
    from importlib.metadata import version

    from flowflare.fleet.rollout.rollout import RolloutRules

    return RolloutRules(max_failures=max_failures, command=again(), release=version("flowflare"))


def again() -> str:
    """This command, as it was called."""
    import shlex
    import sys

    from flowflare.cli.console import command

    return f"{command()} {shlex.join(sys.argv[1:])}"


class Clock:
    """Seconds since it was made."""

    def __init__(self) -> None:
        import time

        self._now = time.monotonic
        self._since = time.monotonic()

    def seconds(self) -> float:
        """Seconds since it was made, rounded to milliseconds."""
        return round(self._now() - self._since, 3)


def make_ready(session: "FleetSession", stacks: Sequence[str]) -> None:
    """Makes sure of what the stacks' runs need: Node's packages, the embedded Cloudflare."""
    from flowflare.cli.stacks import make_ready as made_ready
    from flowflare.config.files import read_project

    if stacks:
        made_ready(read_project(session.root, stacks[0]))


def budget_teller(picture: "Picture", emit: "Emit") -> "Callable[[BudgetEvent], None]":
    """What tells the display that calls wait for the account's budget."""

    def tell(event: "BudgetEvent") -> None:
        from flowflare.fleet.rollout.events import Waiting

        if event.kind == "waiting":
            left = picture.budget.state().left if picture.budget else 0
            reason = f"calls of {', '.join(sorted(event.waiting))} wait for the account's budget"
            emit(Waiting(seconds=round(event.seconds, 1), calls_left=left or 0, reason=reason))

    return tell


@contextmanager
def stopping(stop: "Callable[[str], None]") -> Iterator[None]:
    """Ctrl-C and SIGTERM begin with no other tenant; a second one ends the command at once."""
    from flowflare.cli.console import messages

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def asked(number: int, frame: FrameType | None) -> None:
        del frame
        for one, handler in before.items():
            signal.signal(one, handler)
        messages().print("Stopping when the tenants that run are at their end.", markup=False)
        stop(f"stopped by {signal.Signals(number).name}")

    for number in before:
        signal.signal(number, asked)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
