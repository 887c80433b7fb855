"""Read the events that the Pulumi CLI writes while it runs (`--event-log`).

Each line is an `apitype.EngineEvent` of Pulumi's Go SDK as JSON, with secrets masked. The classes
have the fields that this package uses, by the names of `pulumi.automation.events`: importing that
module costs 1.3 s of CPU, which is a tenth of an `up` without changes.
"""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowflare.reading.json_text import parse_json


@dataclass(frozen=True)
class Diagnostic:
    """A message of the engine, of a plugin or of the program.

    Attributes:
        message: the text, with color marks.
        severity: `debug`, `info`, `info#err`, `warning` or `error`.
        urn: the resource that it is about; None for the run.
        ephemeral: whether it is progress that is not kept.
    """

    message: str
    severity: str
    urn: str | None
    ephemeral: bool


@dataclass(frozen=True)
class PropertyDiff:
    """How one property differs: `diff_kind` is `add`, `update-replace` and so on."""

    diff_kind: str


@dataclass(frozen=True)
class ResourceState:
    """A resource before or after a step.

    Attributes:
        custom: whether a plugin manages it.
        protect: whether it is protected.
        inputs: its inputs, secrets masked; None if the event has none.
        outputs: its outputs, secrets masked; None if the event has none.
    """

    custom: bool
    protect: bool
    parent: str
    provider: str
    inputs: Mapping[str, Any] | None
    outputs: Mapping[str, Any] | None


@dataclass(frozen=True)
class StepMetadata:
    """One operation of the engine on one resource.

    Attributes:
        op: the operation as Pulumi names it, such as `create-replacement`.
        old: the resource before it; None if there was none.
        new: the resource after it; None if there is none.
        keys: the properties that force a replacement.
        diffs: the properties that differ.
        detailed_diff: the differences by property path.
    """

    op: str
    urn: str
    type: str
    old: ResourceState | None
    new: ResourceState | None
    keys: tuple[str, ...]
    diffs: tuple[str, ...]
    detailed_diff: Mapping[str, PropertyDiff]


@dataclass(frozen=True)
class StepEvent:
    """An event that is about a step."""

    metadata: StepMetadata


@dataclass(frozen=True)
class EngineEvent:
    """One event; at most one of its fields is set, and none for an event that is not used here.

    Attributes:
        diagnostic_event: a message.
        resource_pre_event: a step begins, or is planned.
        res_outputs_event: a step has ended.
        res_op_failed_event: a step has failed.
        summary_event: the run has ended; Pulumi's counts.
    """

    diagnostic_event: Diagnostic | None = None
    resource_pre_event: StepEvent | None = None
    res_outputs_event: StepEvent | None = None
    res_op_failed_event: StepEvent | None = None
    summary_event: Mapping[str, Any] | None = None


def read_event(line: str | bytes) -> EngineEvent:
    """Read one line of an event log."""
    raw = parse_json(line)
    message = raw.get("diagnosticEvent")
    return EngineEvent(
        Diagnostic(
            message.get("message", ""),
            message.get("severity", ""),
            message.get("urn"),
            bool(message.get("ephemeral")),
        )
        if message is not None
        else None,
        _step(raw.get("resourcePreEvent")),
        _step(raw.get("resOutputsEvent")),
        _step(raw.get("resOpFailedEvent")),
        raw.get("summaryEvent"),
    )


class EventLog:
    """A file in memory that the CLI writes its events to, and that is read while it runs.

    On systems other than Linux it is a file that only this user can read.
    """

    def __enter__(self) -> "EventLog":
        if sys.platform == "linux":
            self._file = os.memfd_create("pulumi-events")
            self._named = ""
            self.path = f"/proc/self/fd/{self._file}"
        else:
            self._file, self._named = tempfile.mkstemp(prefix="flowflare-events-")
            self.path = self._named
        self._read = 0
        return self

    def __exit__(self, *exc: object) -> None:
        os.close(self._file)
        if self._named:
            Path(self._named).unlink(missing_ok=True)

    @property
    def descriptors(self) -> tuple[int, ...]:
        """The file descriptors that the CLI must inherit to open `path`."""
        return () if self._named else (self._file,)

    def new_events(self) -> Iterator[EngineEvent]:
        """Yield the events that were written since the last call."""
        size = os.fstat(self._file).st_size
        text = os.pread(self._file, size - self._read, self._read)
        whole, newline, _ = text.rpartition(b"\n")
        self._read += len(whole) + len(newline)
        yield from map(read_event, whole.splitlines())


def _step(event: Mapping[str, Any] | None) -> StepEvent | None:
    if event is None:
        return None
    raw = event["metadata"]
    details = raw.get("detailedDiff") or {}
    return StepEvent(
        StepMetadata(
            raw.get("op", ""),
            raw.get("urn", ""),
            raw.get("type", ""),
            _state(raw.get("old")),
            _state(raw.get("new")),
            tuple(raw.get("keys") or ()),
            tuple(raw.get("diffs") or ()),
            {path: PropertyDiff(diff.get("diffKind", "")) for path, diff in details.items()},
        )
    )


def _state(raw: Mapping[str, Any] | None) -> ResourceState | None:
    if raw is None:
        return None
    return ResourceState(
        bool(raw.get("custom")),
        bool(raw.get("protect")),
        raw.get("parent", ""),
        raw.get("provider", ""),
        raw.get("inputs"),
        raw.get("outputs"),
    )
