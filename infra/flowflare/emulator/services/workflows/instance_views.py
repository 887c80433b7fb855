"""Show an instance of a Workflow as the API does, from what Miniflare's engine logged of it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Any

from flowflare.emulator.services.workflows.store import Version, Workflow

_MAX_OUTPUT = 1024
_CUT = "[truncated output]"
_DEFAULTS = {
    "retries": {"limit": 5, "delay": 1000, "backoff": "exponential"},
    "timeout": "10 minutes",
}

Log = Sequence[Mapping[str, Any]]


class Event(IntEnum):
    """Name the engine's numbers for the kinds of events."""

    QUEUED = 0
    STARTED = 1
    COMPLETE = 2
    ERRORED = 3
    TERMINATED = 4
    STEP_START = 5
    STEP_SUCCESS = 6
    STEP_FAILURE = 7
    SLEEP_START = 8
    SLEEP_COMPLETE = 9
    ATTEMPT_START = 10
    ATTEMPT_SUCCESS = 11
    ATTEMPT_FAILURE = 12
    WAIT_START = 14
    WAIT_COMPLETE = 15
    WAIT_TIMED_OUT = 16
    ROLLBACK_STEP_START = 18
    ROLLBACK_ATTEMPT_START = 19
    ROLLBACK_ATTEMPT_SUCCESS = 20
    ROLLBACK_ATTEMPT_FAILURE = 21
    ROLLBACK_STEP_SUCCESS = 22
    ROLLBACK_STEP_FAILURE = 23
    ROLLBACK_COMPLETE = 24
    ROLLBACK_FAILED = 25


_STEP = (
    (Event.STEP_START, Event.STEP_SUCCESS, Event.STEP_FAILURE),
    (Event.ATTEMPT_START, Event.ATTEMPT_SUCCESS, Event.ATTEMPT_FAILURE),
)
_ROLLBACK = (
    (Event.ROLLBACK_STEP_START, Event.ROLLBACK_STEP_SUCCESS, Event.ROLLBACK_STEP_FAILURE),
    (
        Event.ROLLBACK_ATTEMPT_START,
        Event.ROLLBACK_ATTEMPT_SUCCESS,
        Event.ROLLBACK_ATTEMPT_FAILURE,
    ),
)

STARTS = {"do": Event.STEP_START, "sleep": Event.SLEEP_START, "waitForEvent": Event.WAIT_START}


def version_of(instance: Mapping[str, Any], versions: Sequence[Version]) -> str:
    """Return the version that an instance was created with, of versions from new to old."""
    if instance["version_id"]:
        return str(instance["version_id"])
    earlier = (each.id for each in versions if each.created_on[:23] <= instance["created_on"][:23])
    return next(earlier, versions[-1].id)


def view_created(
    instance: Mapping[str, Any], workflow: Workflow, versions: Sequence[Version]
) -> dict[str, Any]:
    """Return an instance as the answer to its creation shows it."""
    return {
        "id": instance["id"],
        "status": instance["status"],
        "version_id": version_of(instance, versions),
        "workflow_id": workflow.id,
        "trigger_source": instance["trigger"],
    }


def view_listed(
    instance: Mapping[str, Any], workflow: Workflow, versions: Sequence[Version]
) -> dict[str, Any]:
    """Return an instance as a list shows it."""
    times = ("created_on", "modified_on", "started_on", "ended_on")
    return view_created(instance, workflow, versions) | {key: instance[key] for key in times}


def view_details(
    instance: Mapping[str, Any], log: Log, versions: Sequence[Version], *, order: str, simple: bool
) -> dict[str, Any]:
    """Return an instance with its steps.

    Args:
        order: `asc` or `desc`, of the steps.
        simple: whether only the number of steps is shown.
    """
    steps = list(_steps(log))
    if order == "desc":
        steps.reverse()
    ended = instance["ended_on"]
    completed, failed = _first(log, Event.COMPLETE), _first(log, Event.ERRORED)
    queued = _first(log, Event.QUEUED)
    return {
        "status": instance["status"],
        "params": (queued["data"] or {}).get("params") if queued else None,
        "queued": queued["time"] if queued else instance["created_on"],
        "start": instance["started_on"],
        "end": ended,
        "success": instance["status"] == "complete" if ended else None,
        # The SDKs describe `output` as a string or a number, never as null.
        "output": _output(completed["data"].get("result")) if completed else "",
        "error": _error(failed["data"].get("error")) if failed else None,
        "rollback": _rollback(log),
        "trigger": {"source": instance["trigger"]},
        "versionId": version_of(instance, versions),
        "step_count": len(steps),
        "steps": [] if simple else steps,
    }


def view_step(log: Log, name: str, kind: str, attempt: int | None) -> dict[str, Any] | None:
    """Return the whole output or error of a step, or None if there is no such step.

    Args:
        kind: `step` or `waitForEvent`.
        attempt: the attempt whose error is shown; None for the last.
    """
    start = Event.STEP_START if kind == "step" else Event.WAIT_START
    found = next((each for each in log if each["event"] == start and each["name"] == name), None)
    if found is None:
        return None
    group = [each for each in log if each["group"] == found["group"]]
    if kind == "waitForEvent":
        over, late = _first(group, Event.WAIT_COMPLETE), _first(group, Event.WAIT_TIMED_OUT)
        status = "complete" if over else "errored" if late else "waiting"
        return {
            "status": status,
            "event_type": found["data"].get("event"),
            "output": over["data"].get("payload") if over else None,
            "error": _error(late["data"]) if late else None,
        }
    success = _first(group, Event.STEP_SUCCESS)
    failures = [
        each
        for each in group
        if each["event"] == Event.ATTEMPT_FAILURE
        and attempt in (None, (each["data"] or {}).get("attempt"))
    ]
    if success and not (attempt is not None and failures):
        return {"status": "complete", "output": success["data"].get("result"), "error": None}
    is_over = bool(failures) and (attempt is not None or _first(group, Event.STEP_FAILURE))
    error = _error(failures[-1]["data"].get("error")) if failures else None
    return {"status": "errored" if is_over else "running", "output": None, "error": error}


def has_step(log: Log, wanted: Mapping[str, Any]) -> bool:
    """Return whether an instance has run a step: its `name`, and `count` and `type` if given."""
    start = STARTS[wanted.get("type") or "do"]
    names = (str(entry["name"]).rpartition("-")[0] for entry in log if entry["event"] == start)
    count: int = wanted.get("count") or 1
    return [*names].count(str(wanted["name"])) >= count


def _first(log: Iterable[Mapping[str, Any]], event: Event) -> Mapping[str, Any] | None:
    return next((each for each in log if each["event"] == event), None)


def _steps(log: Log) -> Iterable[dict[str, Any]]:
    groups: dict[str | None, list[Mapping[str, Any]]] = {}
    for entry in log:
        groups.setdefault(entry["group"], []).append(entry)
    for entry in log:
        group = groups[entry["group"]]
        match entry["event"]:
            case Event.STEP_START:
                yield _step(entry, group, "step", *_STEP)
            case Event.ROLLBACK_STEP_START:
                yield _step(entry, group, "rollback", *_ROLLBACK)
            case Event.SLEEP_START:
                yield _pause(entry, _first(group, Event.SLEEP_COMPLETE), "sleep", None)
            case Event.WAIT_START:
                yield _wait(entry, group)
            case Event.TERMINATED:
                yield {"type": "termination", "trigger": {"source": "api"}}


def _wait(start: Mapping[str, Any], group: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    over, late = _first(group, Event.WAIT_COMPLETE), _first(group, Event.WAIT_TIMED_OUT)
    error = _error(late["data"]) if late else None
    payload = _cut(over["data"].get("payload")) if over else None
    event = {"event_type": start["data"].get("event"), "output": payload}
    return _pause(start, over or late, "waitForEvent", error) | event


def _pause(
    start: Mapping[str, Any], over: Mapping[str, Any] | None, kind: str, error: Any
) -> dict[str, Any]:
    """Return a sleep or wait; one that is not over shows when it ends at the latest."""
    return {
        "type": kind,
        "name": start["name"],
        "start": start["time"],
        "end": over["time"] if over else start["due"] or start["time"],
        "finished": over is not None,
        "error": error,
    }


def _step(
    start: Mapping[str, Any],
    group: Sequence[Mapping[str, Any]],
    kind: str,
    events: tuple[Event, Event, Event],
    attempt_events: tuple[Event, Event, Event],
) -> dict[str, Any]:
    success, failure = (_first(group, event) for event in events[1:])
    over = success or failure
    return {
        "type": kind,
        "name": start["name"],
        "start": start["time"],
        "end": over["time"] if over else None,
        "success": success is not None if over else None,
        "output": _cut(success["data"].get("result")) if success else None,
        "config": _config((start["data"] or {}).get("config")),
        "attempts": list(_attempts(group, *attempt_events)),
    }


def _config(given: Any) -> dict[str, Any]:
    given = given if isinstance(given, dict) else {}
    config = {key: given[key] for key in ("timeout", "sensitive") if given.get(key) is not None}
    retries = {key: value for key, value in (given.get("retries") or {}).items() if value}
    return {**_DEFAULTS, **config, "retries": {"limit": 0, "delay": 0} | retries}


def _attempts(
    group: Sequence[Mapping[str, Any]], start: Event, success: Event, failure: Event
) -> Iterable[dict[str, Any]]:
    for begun in (entry for entry in group if entry["event"] == start):
        number = (begun["data"] or {}).get("attempt")
        over = next(
            (
                entry
                for entry in group
                if entry["event"] in (success, failure)
                and (entry["data"] or {}).get("attempt") == number
                and entry["id"] > begun["id"]
            ),
            None,
        )
        is_failed = over is not None and over["event"] == failure
        yield {
            "start": begun["time"],
            "end": over["time"] if over else None,
            "success": not is_failed if over else None,
            "error": _error(over["data"].get("error")) if over and is_failed else None,
        }


def _rollback(log: Log) -> dict[str, Any] | None:
    if _first(log, Event.ROLLBACK_COMPLETE):
        return {"outcome": "complete", "error": None}
    failed = _first(log, Event.ROLLBACK_FAILED)
    error = (failed["data"] or {}).get("error") if failed else None
    return {"outcome": "failed", "error": _error(error)} if failed else None


def _error(given: Any) -> dict[str, str] | None:
    if not isinstance(given, dict):
        return {"name": "Error", "message": str(given)} if given else None
    return {
        "name": str(given.get("name") or "Error"),
        "message": str(given.get("message") or ""),
    }


def _output(value: Any) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return value
    return json.dumps(value, separators=(",", ":"))


def _cut(value: Any) -> str:
    """Return an output as text of at most 1,024 characters, which is how Cloudflare shows it."""
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    return text if len(text) <= _MAX_OUTPUT else text[:_MAX_OUTPUT] + _CUT
