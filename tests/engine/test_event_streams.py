"""Recorded event streams of the Pulumi CLI, told in the events of both engines."""

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
    """A run as the recording has it; a second passes with each event."""
    events: list[Event] = []
    seconds = iter(range(10_000))
    run = Translator(
        events.append, lambda: float(next(seconds)), planning=name.endswith("-preview")
    )
    for line in (STREAMS / f"{name}.jsonl").read_text("utf-8").splitlines():
        run.take(read_event(line))
    run.finish()
    return run, events


def told(events: list[Event]) -> list[str]:
    return [
        f"{event.kind} {event.step.op} {event.step.name}" if event.step else event.message
        for event in events
    ]


def steps(run: Translator) -> dict[str, str]:
    return {step.name: step.op for step in run.report.steps if not step.type.startswith("pulumi:")}


def changes(run: Translator, name: str) -> list[tuple[Any, ...]]:
    [step] = [one for one in run.report.steps if one.name == name]
    return [(one.path, one.kind, one.old, one.new, one.replaces) for one in step.changes]


def test_a_preview_plans_each_resource_once() -> None:
    run, events = replay("first-preview")
    assert {event.kind for event in events} == {"planned"}
    assert steps(run) == dict.fromkeys(("service", "inner", "z", "w"), "create")
    assert run.outputs == {"number": 5, "token": "[unknown]"}
    assert ("value", "add", None, "[unknown]", False) in changes(run, "w")


def test_an_up_frames_each_step_and_ends_with_the_outputs() -> None:
    run, events = replay("first-up")
    assert told(events)[:2] == ["started create service", "done create service"]
    assert told(events)[-2:] == ["started create w", "done create w"]
    assert sum(event.kind == "started" for event in events) == 4
    assert all(event.seconds >= 1 for event in events if event.kind == "done")
    assert run.outputs == {"number": 5, "token": "[secret]"}
    assert [step.custom for step in run.report.steps if step.name == "service"] == [False]


def test_a_no_op_says_that_all_is_the_same() -> None:
    run, _ = replay("no-op")
    assert set(steps(run).values()) == {"same"}
    assert not [step for step in run.report.steps if step.changes]


@pytest.mark.parametrize("name", ["change-preview", "change-up"])
def test_a_replacement_is_one_step_and_what_forces_it_is_named(name: str) -> None:
    run, events = replay(name)
    assert steps(run) == {
        "v": "create",
        "z": "replace",
        "w": "update",
        **dict.fromkeys(("inner", "service"), "delete"),
    }
    z = next(step for step in run.report.steps if step.name == "z")
    assert z.replaces == ("kind",)
    assert ("kind", "update", "a", "b", True) in changes(run, "z")
    assert ("value", "update", "[secret]", "2", False) in changes(run, "z")
    assert z.old is not None
    assert "__provider" not in z.old
    notes = [(event.severity, event.message) for event in events if event.kind == "note"]
    assert notes == [("warning", "mind the step"), ("info", "hello")]


def test_a_resource_that_fails_says_why_in_its_own_words() -> None:
    run, events = replay("failure")
    [failure] = run.report.failures
    assert (failure.name, failure.kind, failure.reason) == ("z", "failed", "z-b blew up")
    assert told(events)[-1] == "failed update z"
    assert run.program_errors == []


def test_a_refused_resource_names_the_property_and_not_its_value() -> None:
    run, _ = replay("refused")
    [failure] = run.report.failures
    assert (failure.name, failure.reason) == ("z", "value: is refused")


def test_a_mistake_in_the_configuration_is_the_programs_error() -> None:
    run, _ = replay("mistake")
    assert run.program_errors == ["2 problems in the configuration:\n  Pulumi.dev.yaml:3: x"]
    assert run.report.failures == []


def test_a_crash_names_file_line_and_exception() -> None:
    run, _ = replay("crash")
    [said] = run.program_errors
    assert said.endswith("/infra/__main__.py:3: ZeroDivisionError: division by zero")


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("held-preview", "replaced"),
        ("dropped-preview", "deleted"),
        ("dropped-up", "deleted"),
        ("destroy-held", "deleted"),
    ],
)
def test_protect_stops_with_its_remedy(name: str, what: str) -> None:
    run, _ = replay(name)
    [failure] = run.report.failures
    assert (failure.name, failure.kind) == ("v", "protected")
    assert f"is protected and cannot be {what}: its data would be lost" in failure.reason
    assert "flowflare:allowDataLoss: {v: <reason>}" in failure.reason


@pytest.mark.parametrize("name", NAMES)
def test_no_traceback_no_debug_line_and_no_secret_is_told(name: str) -> None:
    run, events = replay(name)
    text = f"{told(events)} {run.program_errors} {run.report.failures} {run.report.steps}"
    assert not [
        word for word in ("Traceback", "KeyboardInterrupt", "debug:", "<{%") if word in text
    ]
    assert "token-of" not in text
    assert "token-of" not in (STREAMS / f"{name}.jsonl").read_text("utf-8")


def test_a_program_that_the_engine_cut_off_is_no_failure_of_its_own() -> None:
    """The SDK raises this when the engine ends the run, as it does once a resource has failed."""
    run, _ = replay("failure")
    message = "Resource monitor has terminated, shutting down"
    event = {"diagnosticEvent": {"message": f"{message}\n", "severity": "error"}}
    run.take(read_event(json.dumps(event)))
    run.finish()
    assert run.report.failures
    assert run.program_errors == []
