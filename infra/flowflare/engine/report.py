"""Collects what a run does and tells it to whoever watches, one event at a time."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from flowflare.errors import FlowflareError, ProtectedError, UpdateFailed
from flowflare.redaction.run import redact, redact_values
from flowflare.values.events import Event, Failure, OnEvent, Step

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from flowflare.api import Connector
    from flowflare.config.cli_keys import CliKey


class Report:
    """The steps and failures of a run, secrets replaced; safe to use from several threads.

    Args:
        on_event: is told everything, never twice at once; None for nobody.
        clock: seconds, for how long a step takes.
    """

    def __init__(self, on_event: OnEvent | None, clock: Callable[[], float]) -> None:
        self._on_event = on_event
        self._clock = clock
        self._lock = threading.Lock()
        self.steps: list[Step] = []
        self.failures: list[Failure] = []

    def planned(self, step: Step) -> None:
        """A step of a preview."""
        self._tell(Event("planned", step), listed=True)

    def started(self, step: Step) -> float:
        """A step begins; returns when."""
        self._tell(Event("started", step))
        return self._clock()

    def done(self, step: Step, since: float | None = None, *, listed: bool = True) -> None:
        """A step has ended well.

        Args:
            step: the step.
            since: when it began; None for one that took no time.
            listed: whether it counts among the run's steps; a part of another step does not.
        """
        seconds = 0.0 if since is None else self._clock() - since
        self._tell(Event("done", step, seconds=seconds), listed=listed)

    def failed(self, step: Step, failure: Failure, since: float | None = None) -> None:
        """A step has failed, or is refused."""
        seconds = 0.0 if since is None else self._clock() - since
        failure = replace(failure, reason=redact(failure.reason))
        skipped, step = failure.kind == "skipped", redact_step(step)
        event = Event("skipped" if skipped else "failed", step, failure.reason, "error", seconds)
        with self._lock:
            self.failures.append(failure)
            if self._on_event is not None:
                self._on_event(event)

    def note(self, event: Event) -> None:
        """A message of the program or of the engine."""
        self._tell(event)

    def name_cli_keys(self, keys: "Iterable[CliKey]") -> None:
        """Name what a project's files ask of the Pulumi CLI and this engine does not do."""
        for key in keys:
            self.note(Event("note", message=str(key), severity="warning"))

    def of_waits(self, api: "Connector | None") -> "AbstractContextManager[None]":
        """Inside the block, notes when calls wait for the account's budget.

        Args:
            api: what opens the API's clients; None for what this process shares.
        """
        from flowflare.api import PROCESS, describe_wait

        def tell(seconds: float) -> None:
            self.note(Event("note", message=describe_wait(seconds), severity="warning"))

        return (api or PROCESS).telling(tell)

    def _tell(self, event: Event, *, listed: bool = False) -> None:
        event = replace(
            event,
            message=redact(event.message),
            step=event.step and redact_step(event.step),
        )
        with self._lock:
            if listed and event.step is not None:
                self.steps.append(event.step)
            if self._on_event is not None:
                self._on_event(event)


def failed(failures: list[Failure], program: FlowflareError | None = None) -> FlowflareError:
    """The error that lists what failed, each with its name and reason, and counts the skipped."""
    causes = [one for one in failures if one.kind != "skipped"]
    lines = []
    for one in causes:
        first, *rest = one.reason.splitlines()
        lines.append(f"  {one.name} ({one.type}): {first}")
        lines += [f"    {line.strip()}" for line in rest]
    if program is not None:
        lines.append(f"  the program: {program.message}")
    count = "1 resource" if len(causes) == 1 else f"{len(causes)} resources"
    skipped = len(failures) - len(causes)
    after = f", {skipped} skipped" if skipped else ""
    text = "\n".join(lines)
    if program is None and all(one.kind == "protected" for one in causes):
        return ProtectedError(f"{count} would lose data, and protect stops it{after}:\n{text}")
    return UpdateFailed(
        f"{count} failed{after}:\n{text}",
        remedy="What was made is kept in state: put the cause right and run it again.",
    )


def redact_step(step: Step) -> Step:
    """Replace secrets that a program has put into properties without marking them."""
    values = [step.old, step.new, step.outputs, [[one.old, one.new] for one in step.changes]]
    redacted = redact_values(values)
    if redacted is values:
        return step
    old, new, outputs, changed = redacted
    changes = tuple(
        replace(one, old=before, new=after)
        for one, (before, after) in zip(step.changes, changed, strict=True)
    )
    return replace(step, old=old, new=new, outputs=outputs, changes=changes)
