"""Show a run while it works: a line for each finished step, and a last line for current ones."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from flowflare.cli.console import open_stderr, print_message
from flowflare.cli.plan_text import STYLES
from flowflare.review.words import DONE, MARKS, shorten_type

if TYPE_CHECKING:
    from rich.status import Status

    from flowflare.values.events import Event, OnEvent, Step


@contextmanager
def show_progress(title: str) -> Iterator["OnEvent"]:
    """Yield a listener that displays the events of one run.

    Args:
        title: the text of the last line while no step runs.
    """
    with open_stderr().status(title) as status, _explain_interrupt():
        yield _Display(title, status).show


def show_note(event: "Event") -> None:
    """Print a message of the program or the engine; other events are not printed."""
    if event.kind == "note" and (event.severity != "info" or event.message):
        print_message(f"  {event.severity}: {event.message}")


@contextmanager
def _explain_interrupt() -> Iterator[None]:
    """On Ctrl-C, say that the current step is finished first: its call's result is never lost."""

    def stop(number: int, frame: FrameType | None) -> None:
        print_message("Stopping after the current step. Run the command again to resume.")
        signal.default_int_handler(number, frame)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Display:
    """Tracks which steps run, to name them in the last line."""

    def __init__(self, title: str, status: "Status") -> None:
        self._title = title
        self._status = status
        self._running: dict[str, str] = {}

    def show(self, event: "Event") -> None:
        show_note(event)
        if event.step is not None:
            self._show_step(event, event.step)

    def _show_step(self, event: "Event", step: "Step") -> None:
        if event.kind == "started":
            self._running[step.urn] = step.name
        else:
            self._running.pop(step.urn, None)
            _print_end(event, step)
        names = ", ".join(self._running.values())
        self._status.update(f"{self._title}: {names}" if names else self._title)


def _print_end(event: "Event", step: "Step") -> None:
    if not step.custom or (event.kind == "done" and step.op == "same"):
        return
    kind = shorten_type(step.type)
    if event.kind == "done":
        line = f"  {MARKS[step.op]} {DONE[step.op]:<9} {step.name:<36} {kind:<24}"
        print_message(f"{line} {event.seconds:5.1f} s", style=STYLES[step.op])
    elif event.kind == "failed":
        print_message(f"  ! failed    {step.name:<36} {kind}", style="red")
    elif event.kind == "skipped":
        print_message(f"    skipped   {step.name:<36} {event.message}")
