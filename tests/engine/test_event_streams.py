"""Recorded event streams of the Pulumi CLI become the events that both engines report."""

import json
from pathlib import Path
from typing import Any

import pytest

from flowflare.engine.pulumi_cli.stream import read_event
from flowflare.engine.pulumi_cli.translate import Translator
from flowflare.values.events import Event

STREAMS = Path(__file__).parent / "streams"
NAMES = sorted(path.stem for path in STREAMS.glob("*.jsonl"))


def replay(name: str) -> tuple[Translator, list[Event]]:
    """Replay a recorded run, in which each event takes a second."""
    events: list[Event] = []
    seconds = iter(range(10_000))
    run = Translator(
        events.append, lambda: float(next(seconds)), planning=name.endswith("-preview")
    )
    for line in (STREAMS / f"{name}.jsonl").read_text("utf-8").splitlines():
        run.take(read_event(line))
    run.finish()
    return run, events


def describe_events(events: list[Event]) -> list[str]:
    return [
        f"{event.kind} {event.step.op} {event.step.name}" if event.step else event.message
        for event in events
    ]


def list_ops(run: Translator) -> dict[str, str]:
    return {step.name: step.op for step in run.report.steps if not step.type.startswith("pulumi:")}


def list_changes(run: Translator, name: str) -> list[tuple[Any, ...]]:
    [step] = [step for step in run.report.steps if step.name == name]
    return [
        (change.path, change.kind, change.old, change.new, change.replaces)
        for change in step.changes
    ]


def test_a_preview_plans_each_resource_once() -> None:
    run, events = replay("first-preview")
    assert {event.kind for event in events} == {"planned"}
    assert list_ops(run) == dict.fromkeys(("service", "inner", "z", "w"), "create")
    assert run.outputs == {"number": 5, "token": "[unknown]"}
    assert ("value", "add", None, "[unknown]", False) in list_changes(run, "w")


def test_an_up_reports_start_and_end_of_each_step_and_has_the_outputs() -> None:
    run, events = replay("first-up")
    assert describe_events(events)[:2] == ["started create service", "done create service"]
    assert describe_events(events)[-2:] == ["started create w", "done create w"]
    assert sum(event.kind == "started" for event in events) == 4
    assert all(event.seconds >= 1 for event in events if event.kind == "done")
    assert run.outputs == {"number": 5, "token": "[secret]"}
    assert [step.custom for step in run.report.steps if step.name == "service"] == [False]


def test_an_up_without_changes_reports_every_resource_as_the_same() -> None:
    run, _ = replay("no-op")
    assert set(list_ops(run).values()) == {"same"}
    assert not [step for step in run.report.steps if step.changes]


@pytest.mark.parametrize("name", ["change-preview", "change-up"])
def test_a_replacement_is_a_single_step_that_names_the_property_behind_it(name: str) -> None:
    run, events = replay(name)
    assert list_ops(run) == {
        "v": "create",
        "z": "replace",
        "w": "update",
        **dict.fromkeys(("inner", "service"), "delete"),
    }
    z = next(step for step in run.report.steps if step.name == "z")
    assert z.replaces == ("kind",)
    assert ("kind", "update", "a", "b", True) in list_changes(run, "z")
    assert ("value", "update", "[secret]", "2", False) in list_changes(run, "z")
    assert z.old is not None
    assert "__provider" not in z.old
    notes = [(event.severity, event.message) for event in events if event.kind == "note"]
    assert notes == [("warning", "mind the step"), ("info", "hello")]


def test_a_failed_resource_reports_the_provider_error() -> None:
    run, events = replay("failure")
    [failure] = run.report.failures
    assert (failure.name, failure.kind, failure.reason) == ("z", "failed", "z-b blew up")
    assert describe_events(events)[-1] == "failed update z"
    assert run.program_errors == []


def test_a_refused_resource_names_the_property_but_not_its_value() -> None:
    run, _ = replay("refused")
    [failure] = run.report.failures
    assert (failure.name, failure.reason) == ("z", "value: is refused")


def test_a_mistake_in_the_configuration_is_an_error_of_the_program() -> None:
    run, _ = replay("mistake")
    assert run.program_errors == ["2 problems in the configuration:\n  Pulumi.dev.yaml:3: x"]
    assert run.report.failures == []


def test_a_crash_names_file_line_and_exception() -> None:
    run, _ = replay("crash")
    [error] = run.program_errors
    assert error.endswith("/infra/__main__.py:3: ZeroDivisionError: division by zero")


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        ("held-preview", "replaced"),
        ("dropped-preview", "deleted"),
        ("dropped-up", "deleted"),
        ("destroy-held", "deleted"),
    ],
)
def test_a_protected_resource_stops_the_run_with_a_remedy(name: str, operation: str) -> None:
    run, _ = replay(name)
    [failure] = run.report.failures
    assert (failure.name, failure.kind) == ("v", "protected")
    assert f"is protected and cannot be {operation}: its data would be lost" in failure.reason
    assert "flowflare:allowDataLoss: {v: <reason>}" in failure.reason


@pytest.mark.parametrize("name", NAMES)
def test_no_event_contains_a_traceback_a_debug_line_or_a_secret(name: str) -> None:
    run, events = replay(name)
    text = (
        f"{describe_events(events)} {run.program_errors} {run.report.failures} {run.report.steps}"
    )
    assert not [
        word for word in ("Traceback", "KeyboardInterrupt", "debug:", "<{%") if word in text
    ]
    assert "token-of" not in text
    assert "token-of" not in (STREAMS / f"{name}.jsonl").read_text("utf-8")


def test_an_error_after_the_engine_ended_the_program_is_not_reported() -> None:
    """The SDK raises this error when the engine ends the run because a resource failed."""
    run, _ = replay("failure")
    message = "Resource monitor has terminated, shutting down"
    event = {"diagnosticEvent": {"message": f"{message}\n", "severity": "error"}}
    run.take(read_event(json.dumps(event)))
    run.finish()
    assert run.report.failures
    assert run.program_errors == []
