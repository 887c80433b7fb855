"""Turn the Pulumi engine's event stream into the events that both engines report.

The stream is that of `--event-log`, read by `stream`; its JSON form is recorded in
`tests/engine/streams`. Debug lines, progress and the second half of a replacement are skipped.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flowflare.engine.pulumi_cli.failures import (
    is_cut_off,
    is_echo,
    plain_text,
    program_error,
    program_reason,
    protection,
    reason,
)
from flowflare.engine.pulumi_cli.steps import OPS, outputs_of, step_of
from flowflare.engine.pulumi_cli.stream import Diagnostic, EngineEvent, ResourceState, StepMetadata
from flowflare.engine.refused_steps import make_failure, refuse_step
from flowflare.engine.report import RunLog
from flowflare.errors import FlowflareError, UpdateFailed
from flowflare.values.events import Event, OnEvent, Step
from flowflare.values.urns import STACK_TYPE, name_of, type_of

_TRACEBACK = "Traceback (most recent call last):"


@dataclass
class RunningStep:
    """A step that is running, and when it began."""

    step: Step
    since: float


@dataclass(frozen=True)
class Taken:
    """A creation that was refused.

    Attributes:
        reason: why it was refused.
        record: the resource as the stream describes it: urn, type, parent, provider, inputs.
    """

    reason: str
    record: Mapping[str, Any]


@dataclass
class Translator:
    """Translates the events of one run.

    Args:
        on_event: takes the translated events; None to report nothing.
        clock: returns seconds, to measure durations.
        planning: whether it is a preview.
        refreshing: whether it is a refresh, whose steps are what it found.
    """

    on_event: OnEvent | None
    clock: Callable[[], float]
    planning: bool = False
    refreshing: bool = False
    outputs: dict[str, Any] = field(default_factory=dict)
    program_errors: list[str] = field(default_factory=list)
    refused_creations: list[Taken] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.report = RunLog(self.on_event, self.clock)
        self._running: dict[str, RunningStep] = {}
        self._reasons: dict[str, list[str]] = {}
        self.ended = False

    def take(self, event: EngineEvent) -> None:
        """Take the next event of the stream."""
        if event.diagnostic_event is not None:
            self._diagnostic(event.diagnostic_event)
        elif event.resource_pre_event is not None:
            self._begin(event.resource_pre_event.metadata)
        elif event.res_outputs_event is not None:
            self._end(event.res_outputs_event.metadata)
        elif event.res_op_failed_event is not None:
            self._fail(event.res_op_failed_event.metadata)
        elif event.summary_event is not None:
            self.ended = True

    def finish(self) -> None:
        """End the run: a resource that was refused without a step becomes a failure too."""
        for urn in list(self._reasons):
            running = self._running.pop(urn, None)
            step = running.step if running else self._find_planned(urn)
            self._report_failure(step, running.since if running else None)

    def find_program_failure(self, served: FlowflareError | None) -> FlowflareError | None:
        """Return why the program failed; None if it did not, or only because the engine ended it.

        Args:
            served: the error of a program that ran in this process.
        """
        if self.program_errors:
            return program_error("\n".join(self.program_errors))
        return None if served is None or is_cut_off(served.message) else served

    def _find_planned(self, urn: str) -> Step:
        """Return the step that the preview reported, else a new one for the refused resource."""
        known = (step for step in self.report.steps if step.urn == urn)
        return next(known, None) or _make_unplanned(urn)

    def _diagnostic(self, event: Diagnostic) -> None:
        text = plain_text(event.message)
        if event.severity == "error":
            self._error(event.urn or "", event.message)
        elif event.severity in ("info", "warning") and text and not event.ephemeral:
            severity: Literal["info", "warning"] = "info" if event.severity == "info" else "warning"
            self.report.note(Event("note", message=text, severity=severity))
        elif event.severity == "info#err" and not self._is_noise(text):
            self.report.note(Event("note", message=text, severity="warning"))

    def _is_noise(self, text: str) -> bool:
        """Return whether a string is noise, such as the traceback of an interrupted program."""
        failed = bool(self._reasons or self.report.failures or self.program_errors)
        return failed or self.ended or not text or _TRACEBACK in text

    def _error(self, urn: str, message: str) -> None:
        if is_echo(message):
            return
        if urn and type_of(urn) != STACK_TYPE:
            self._reasons.setdefault(urn, []).append(message)
        else:
            self.program_errors.append(program_reason(message))

    def _begin(self, metadata: StepMetadata) -> None:
        step = step_of(metadata)
        if step is None:
            return
        if self.planning:
            self.report.plan_step(step)
        elif step.type != STACK_TYPE:
            self._running[step.urn] = RunningStep(step, self.report.start_step(step))

    def _end(self, metadata: StepMetadata) -> None:
        if metadata.type == STACK_TYPE:
            self.outputs = outputs_of(metadata)
        running = self._running.get(metadata.urn)
        if running is not None and metadata.op in OPS:
            del self._running[metadata.urn]
            self.report.finish_step(running.step, running.since)
        elif self.refreshing and metadata.type != STACK_TYPE and (found := step_of(metadata)):
            self.report.finish_step(found)

    def _fail(self, metadata: StepMetadata) -> None:
        running = self._running.pop(metadata.urn, None)
        step = running.step if running else step_of(metadata) or _make_unplanned(metadata.urn)
        if metadata.op.startswith("create") and metadata.new is not None:
            self._note_refused_creation(metadata, metadata.new)
        self._report_failure(step, running.since if running else None)

    def _note_refused_creation(self, metadata: StepMetadata, new: ResourceState) -> None:
        record = {
            "urn": metadata.urn,
            "type": metadata.type,
            "custom": True,
            "inputs": dict(new.inputs or {}),
            "parent": new.parent,
            "provider": new.provider,
        }
        why = " ".join(self._reasons.get(metadata.urn, ()))
        self.refused_creations.append(Taken(plain_text(why), record))

    def _report_failure(self, step: Step, since: float | None) -> None:
        messages = self._reasons.pop(step.urn, ["it failed, and the engine does not say why"])
        stopped = protection(messages[0])
        error: Exception = UpdateFailed("; ".join(dict.fromkeys(map(reason, messages))))
        self.report.fail_step(
            step, make_failure(step, refuse_step(step, stopped) if stopped else error), since
        )


def _make_unplanned(urn: str) -> Step:
    """Make the step of a resource that was refused before the engine planned it."""
    return Step(op="same", urn=urn, type=type_of(urn), name=name_of(urn))
