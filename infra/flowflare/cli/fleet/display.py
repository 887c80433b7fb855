"""Show a rollout while it runs: a live display, plain lines, or every event as JSON.

On a terminal, finished work scrolls by above a display of the tenants that run and wait, the calls
left in the account's window and the time to go. Elsewhere each event except steps is a line.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from flowflare.cli.console import open_stderr, print_text
from flowflare.fleet.forwarder.state import BudgetState
from flowflare.fleet.rollout import events
from flowflare.fleet.rollout.events import Emit, FleetEvent
from flowflare.values.wording import list_some, write_count

_MARKS: Final = {
    "tenant-done": ("+", "green"),
    "tenant-failed": ("!", "red"),
    "exported": ("=", "cyan"),
    "stopped": ("!", "red"),
    "waiting": ("~", "yellow"),
}
_SHOWN: Final = 8


class BudgetSource(Protocol):
    """Knows how many API calls are left: the forwarder."""

    def state(self) -> BudgetState:
        """Return the calls that are left, and what waits for them."""

    def forecast(self, calls: int) -> float:
        """Return the seconds until so many more calls can be sent."""


@dataclass
class Picture:
    """The progress of a rollout.

    Attributes:
        clock: returns the time in seconds.
        workers: how many tenants run at a time.
        budget: knows how many calls are left; None until it is open.
    """

    clock: Callable[[], float] = time.monotonic
    workers: int = 1
    budget: BudgetSource | None = None
    total: int = 0
    done: int = 0
    failed: int = 0
    wave: str = ""
    running: dict[str, tuple[float, str]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    checks: list[float] = field(default_factory=list)
    calls: int = 0

    def take(self, event: FleetEvent) -> None:
        """Record an event."""
        if isinstance(event, events.RolloutBegan):
            self.total += sum(len(wave) for wave in event.waves)
        elif isinstance(event, events.WaveBegan):
            self.wave = f"wave {event.wave} of {event.of}: "
        elif isinstance(event, events.TenantBegan):
            self.running[event.tenant] = (self.clock(), event.doing)
        elif isinstance(event, events.TenantStep) and event.kind == "started":
            since, _ = self.running.get(event.tenant, (self.clock(), ""))
            self.running[event.tenant] = (since, f"{event.op} {event.resource}")
        elif isinstance(event, events.HealthChecked):
            self.checks.append(event.seconds)
        elif isinstance(event, events.TenantDone | events.TenantFailed):
            self.running.pop(event.tenant, None)
            self.calls += event.api_calls
            self.seconds.append(event.seconds)
            self.done += isinstance(event, events.TenantDone)
            self.failed += isinstance(event, events.TenantFailed)

    @property
    def waiting(self) -> int:
        """How many tenants have not begun."""
        return max(self.total - self.done - self.failed - len(self.running), 0)

    def seconds_to_go(self) -> float | None:
        """Estimate the time to go, from earlier tenants and from the calls that are left.

        Only the last health check adds time: the others run beside the work.

        Returns:
            Seconds; None until a tenant has ended.
        """
        if not self.seconds:
            return None
        ended = len(self.seconds)
        elapsed_times = [self.clock() - since for since, _ in self.running.values()]
        each = sum(self.seconds) / ended
        work = each * self.waiting + sum(max(each - elapsed, 0) for elapsed in elapsed_times)
        left = self.waiting + len(self.running)
        forecast = self.budget.forecast(round(self.calls / ended * left)) if self.budget else 0.0
        check = sum(self.checks) / len(self.checks) if self.checks else 0.0
        return max(work / max(self.workers, 1), forecast) + check

    def summary(self) -> str:
        """Return one line: tenants per state, calls left, time to go."""
        parts = [f"{self.done} done", f"{len(self.running)} running", f"{self.waiting} waiting"]
        if self.failed:
            parts.append(f"{self.failed} failed")
        if self.budget is not None:
            state = self.budget.state()
            if state.left is not None:
                most = f" of {state.limit}" if state.limit else ""
                parts.append(f"{state.left}{most} calls left")
        to_go = self.seconds_to_go()
        if to_go is not None and self.waiting + len(self.running):
            parts.append(f"about {_format_duration(to_go)} to go")
        return f"{self.wave}{', '.join(parts)}"


@contextmanager
def show_rollout(picture: Picture, *, json: bool) -> Iterator[Emit]:
    """Yield a function that shows events; a live display runs until the block ends.

    Args:
        json: whether events are printed as JSON lines on standard output, and nothing else.
    """
    lock = threading.RLock()

    def emit(event: FleetEvent) -> None:
        with lock:
            picture.take(event)
            if json:
                print_text(events.as_line(event) + "\n")
        # Without the lock: when the live display draws itself, it takes its own lock before ours.
        if not json:
            _print(open_stderr(), event, picture)

    if json or not open_stderr().is_terminal:
        yield emit
        return

    with Live(
        get_renderable=lambda: _lines(picture, lock),
        console=open_stderr(),
        refresh_per_second=4,
        transient=True,
    ):
        yield emit


def _lines(picture: Picture, lock: threading.RLock) -> RenderableType:
    with lock:
        lines = [picture.summary()]
        now = picture.clock()
        for tenant, (since, doing) in list(picture.running.items())[:_SHOWN]:
            lines.append(f"  {tenant:<24} {now - since:5.0f} s  {doing}")
        if len(picture.running) > _SHOWN:
            lines.append(f"  and {len(picture.running) - _SHOWN} more")
    return Text("\n".join(lines), no_wrap=True, overflow="ellipsis")


def _print(console: Console, event: FleetEvent, picture: Picture) -> None:
    text = describe_event(event)
    if not text:
        return
    mark, style = _MARKS.get(event.event, (" ", ""))
    console.print(f"{mark} {text}", style=style or None, markup=False)
    if isinstance(event, events.WaveBegan) and picture.done:
        console.print(f"  {picture.summary()}", markup=False)


def describe_event(event: FleetEvent) -> str:  # noqa: PLR0911 -- one line for each event
    """Describe an event in words; empty for events that only JSON and the live display show."""
    if isinstance(event, events.RolloutBegan):
        action = "resumes" if event.resumed else "begins"
        count = sum(map(len, event.waves))
        return (
            f"Rollout {event.rollout} of {event.environment} {action}: {count} to deploy in "
            f"{write_count(len(event.waves), 'wave')}, {event.through} through, "
            f"{event.unchanged} unchanged"
        )
    if isinstance(event, events.WaveBegan):
        return f"Wave {event.wave} of {event.of}: {list_some(event.tenants, _SHOWN)}"
    if isinstance(event, events.TenantDone):
        calls = write_count(event.api_calls, "call")
        changed = f"{event.changed} changed, {calls}, {event.seconds:.1f} s"
        return f"{event.tenant:<24} {event.outcome:<10} {changed}"
    if isinstance(event, events.TenantFailed):
        error = event.error.replace("\n", "\n      ")
        remedy = f"\n      {event.remedy}" if event.remedy else ""
        return f"{event.tenant:<24} {event.outcome:<10} {error}{remedy}"
    if isinstance(event, events.Exported):
        rows = ", ".join(f"{name} {count:,} rows" for name, count in event.databases.items())
        return f"{event.tenant:<24} exported   {rows or 'no databases'} to {event.place}"
    if isinstance(event, events.Waiting):
        wait = _format_duration(event.seconds)
        return f"{event.reason}: about {wait}, {event.calls_left} calls left"
    return ""


def describe_stop(event: events.Stopped) -> str:
    """Describe why a rollout stopped, and where its tenants are."""
    where = event.where
    lists = {
        "done": where.done,
        "failed": where.failed,
        "unhealthy": where.unhealthy,
        "running": where.running,
        "not begun": where.waiting,
    }
    lines = [f"Stopped after {_format_duration(event.seconds)}: {event.reason}."]
    for word, names in lists.items():
        if names:
            lines.append(f"  {word:<10} {len(names):>4}  {list_some(names, _SHOWN)}")
    return "\n".join(lines)


def _format_duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes / 60:.1f} h"
