"""Collect the steps and failures of a run, and report them one event at a time."""

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
    from flowflare.config.pulumi_keys import CliKey


class RunLog:
    """The steps and failures of a run, secrets replaced; safe to use from several threads.

    Args:
        on_event: takes every event, one at a time; None to report nothing.
        clock: returns seconds, to measure durations.
        quiet: whether only notes and failures are reported.
    """

    def __init__(
        self, on_event: OnEvent | None, clock: Callable[[], float], *, quiet: bool = False
    ) -> None:
        self._on_event = on_event
        self._quiet = quiet
        self._clock = clock
        self._lock = threading.Lock()
        self.steps: list[Step] = []
        self.failures: list[Failure] = []

    def plan_step(self, step: Step) -> None:
        """Report a step that a preview plans."""
        self._tell(Event("planned", step), listed=True)

    def start_step(self, step: Step) -> float:
        """Report that a step begins; return when, in seconds of the clock."""
        self._tell(Event("started", step))
        return self._clock()

    def finish_step(self, step: Step, since: float | None = None, *, listed: bool = True) -> None:
        """Report that a step has succeeded.

        Args:
            since: when it began; None if it took no time.
            listed: whether it counts as a step of the run; a part of another step does not.
        """
        seconds = 0.0 if since is None else self._clock() - since
        self._tell(Event("done", step, seconds=seconds), listed=listed)

    def fail_step(self, step: Step, failure: Failure, since: float | None = None) -> None:
        """Report that a step has failed or is refused."""
        seconds = 0.0 if since is None else self._clock() - since
        failure = replace(failure, reason=redact(failure.reason))
        skipped, step = failure.kind == "skipped", redact_step(step)
        event = Event("skipped" if skipped else "failed", step, failure.reason, "error", seconds)
        with self._lock:
            self.failures.append(failure)
            if self._on_event is not None:
                self._on_event(event)

    def note(self, event: Event) -> None:
        """Report a message of the program or of the engine."""
        self._tell(event)

    def name_cli_keys(self, keys: "Iterable[CliKey]") -> None:
        """Warn of settings in the project's files that only the Pulumi CLI supports."""
        for key in keys:
            self.note(Event("note", message=str(key), severity="warning"))

    def of_waits(self, api: "Connector | None") -> "AbstractContextManager[None]":
        """Report, inside the block, when calls wait for the account's rate limit.

        Args:
            api: opens the API's clients; None for this process's shared connector.
        """
        from flowflare.api import PROCESS, describe_wait

        def warn_of_wait(seconds: float) -> None:
            self.note(Event("note", message=describe_wait(seconds), severity="warning"))

        return (api or PROCESS).telling(warn_of_wait)

    def _tell(self, event: Event, *, listed: bool = False) -> None:
        event = replace(
            event,
            message=redact(event.message),
            step=event.step and redact_step(event.step),
        )
        with self._lock:
            if listed and event.step is not None:
                self.steps.append(event.step)
            if self._on_event is not None and not (self._quiet and event.step):
                self._on_event(event)


def describe_failures(
    failures: list[Failure], program: FlowflareError | None = None
) -> FlowflareError:
    """Make an error that lists each failure with its reason, and counts skipped resources."""
    causes = [failure for failure in failures if failure.kind != "skipped"]
    lines = []
    for failure in causes:
        first, *rest = failure.reason.splitlines()
        lines.append(f"  {failure.name} ({failure.type}): {first}")
        lines += [f"    {line.strip()}" for line in rest]
    if program is not None:
        lines.append(f"  the program: {program.message}")
    count = "1 resource" if len(causes) == 1 else f"{len(causes)} resources"
    skipped = len(failures) - len(causes)
    after = f", {skipped} skipped" if skipped else ""
    text = "\n".join(lines)
    if program is None and all(failure.kind == "protected" for failure in causes):
        return ProtectedError(f"{count} would lose data, and protect stops it{after}:\n{text}")
    return UpdateFailed(
        f"{count} failed{after}:\n{text}",
        remedy="State records what was created. Fix the cause and run it again.",
    )


def redact_step(step: Step) -> Step:
    """Replace secrets that a program has put into properties without marking them."""
    values = [
        step.old,
        step.new,
        step.outputs,
        [[change.old, change.new] for change in step.changes],
    ]
    redacted = redact_values(values)
    if redacted is values:
        return step
    old, new, outputs, changed = redacted
    changes = tuple(
        replace(change, old=before, new=after)
        for change, (before, after) in zip(step.changes, changed, strict=True)
    )
    return replace(step, old=old, new=new, outputs=outputs, changes=changes)
