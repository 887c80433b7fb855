"""What the commands over many tenants share: rollout rules, signals and budget messages."""

import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from types import FrameType

from flowflare.cli.console import print_message, quote_program
from flowflare.cli.fleet.display import Picture
from flowflare.cli.stacks import make_ready as make_stack_ready
from flowflare.errors import FleetError
from flowflare.fleet.forwarder.state import BudgetEvent
from flowflare.fleet.rollout import events
from flowflare.fleet.rollout.events import Emit, Waiting
from flowflare.fleet.rollout.retire import RemovalResult
from flowflare.fleet.rollout.rollout import RolloutRules
from flowflare.fleet.session import FleetSession


def refuse_left(removed: RemovalResult, what: str, emit: Emit, seconds: float) -> None:
    """Stop a command that could not remove every tenant.

    Args:
        what: `retired` or `destroyed`.
        emit: receives an event with the tenants by progress.

    Raises:
        FleetError: a tenant could not be removed.
    """
    if not removed.failed:
        return

    reason = f"could not be {what}: {', '.join(removed.failed)}"
    remedy = f"Fix the cause, then run it again: {quote_command()}"
    where = events.TenantsByProgress(done=removed.removed, failed=removed.failed)
    emit(events.Stopped(rollout="", reason=reason, where=where, remedy=remedy, seconds=seconds))
    raise FleetError(reason, remedy=remedy)


def make_rules(max_failures: int = 1) -> RolloutRules:
    """Make the rules for a rollout of this command."""
    return RolloutRules(
        max_failures=max_failures, command=quote_command(), release=version("flowflare")
    )


def quote_command() -> str:
    """Return this command line, quoted for a shell."""
    return f"{quote_program()} {shlex.join(sys.argv[1:])}"


class Stopwatch:
    """Counts the seconds since it was created."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def read_seconds(self) -> float:
        """Return the seconds since it was created, rounded to milliseconds."""
        return round(time.monotonic() - self._began, 3)


def make_ready(session: FleetSession, stacks: Sequence[str]) -> None:
    """Prepare runs: install Node's packages, and start the embedded Cloudflare if needed."""
    if stacks:
        make_stack_ready(session.read_stack(stacks[0]))


def make_budget_listener(picture: Picture, emit: Emit) -> Callable[[BudgetEvent], None]:
    """Make a function that shows when calls wait for the account's budget."""

    def listen(event: BudgetEvent) -> None:
        if event.kind == "waiting":
            left = picture.budget.state().left if picture.budget else 0
            reason = f"calls of {', '.join(sorted(event.waiting))} wait for the account's budget"
            emit(Waiting(seconds=round(event.seconds, 1), calls_left=left or 0, reason=reason))

    return listen


@contextmanager
def stop_on_signal(stop: Callable[[str], None]) -> Iterator[None]:
    """On Ctrl-C or SIGTERM, begin no other tenant; a second signal ends the command at once."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle_signal(number: int, frame: FrameType | None) -> None:
        del frame
        for signal_number, handler in before.items():
            signal.signal(signal_number, handler)
        print_message("Stopping after the current tenants.")
        stop(f"stopped by {signal.Signals(number).name}")

    for number in before:
        signal.signal(number, handle_signal)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
