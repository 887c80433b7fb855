"""The WebSocket: who may watch, what a watcher receives, and that it survives hibernation."""

import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from tests.support.waiting import PATIENCE
from tests.worker.feed_calls import FEED, PATH, Watch, events_of, heard, heard_of
from tests.worker.worker_calls import KEY, Api, Probe, Workers

pytestmark = pytest.mark.workerd


def test_a_watcher_receives_the_latest_runs_first(service: Api, watch: Watch, fresh: str) -> None:
    service.start(fresh, runId=fresh)

    first = heard(watch())

    assert first["type"] == "initial_data"
    assert fresh in [run["id"] for run in first["data"]]
    assert isinstance(first["seq"], int)


def test_every_change_is_sent_with_its_stored_row(service: Api, watch: Watch, fresh: str) -> None:
    socket = watch()
    heard(socket)
    place = {"workflow_run_id": fresh, "step_name": "one", "step_index": 1}

    service.start(fresh, runId=fresh)
    service.update("step_update", status="Running", **place)
    service.update("retry_update", retry_count=1, **place)
    service.update("run_update", id=fresh, status="Completed")

    start, step, retry, end = events_of(socket, fresh, 4)
    assert start["run_update"]["status"] == "Running"
    assert start["run_update"]["workflow_name"] == fresh
    assert step["step_update"]["started_at"]
    assert retry["retry_update"]["workflow_step_id"] == step["step_update"]["id"]
    assert end["run_update"]["completed_at"]


def test_an_update_that_changes_nothing_is_not_sent(service: Api, watch: Watch, fresh: str) -> None:
    service.update("run_update", id=fresh, status="Completed")
    socket = watch()
    heard(socket)

    service.update("run_update", id=fresh, status="Running")
    service.update("run_update", id=fresh, metadata={"told": True})

    told: list[dict[str, Any]] = []
    while not told or told[-1]["metadata"] is None:
        told += [event["run_update"] for event in events_of(socket, fresh, 1)]
    assert {row["status"] for row in told} == {"Completed"}


def test_numbers_grow_by_the_events_of_a_frame(service: Api, watch: Watch, fresh: str) -> None:
    socket = watch()
    seq = heard(socket)["seq"]
    updates = [
        {"type": "run_update", "run_update": {"id": f"{fresh}-{n}", "status": "Running"}}
        for n in range(100)
    ]

    service.ok("/api/workflows/update", {"updates": updates})

    told = 0
    while told < 100:
        frame = heard(socket)
        batch = frame.get("batch", [frame["data"]])
        told += sum(event["run_update"]["id"].startswith(fresh) for event in batch)
        assert frame["seq"] == seq + len(batch)
        assert frame["data"] == batch[-1]
        seq = frame["seq"]


def test_watchers_survive_hibernation(
    workers: Workers, service: Api, watch: Watch, fresh: str
) -> None:
    sockets = [watch(), watch()]
    seq = max(heard(socket)["seq"] for socket in sockets)

    workers.evict(FEED)
    service.start(fresh, runId=fresh)

    for socket in sockets:
        [event] = events_of(socket, fresh, 1)
        assert event["run_update"]["id"] == fresh
    assert heard(watch())["seq"] > seq


def test_a_ping_is_answered(workers: Workers, watch: Watch) -> None:
    socket = watch()
    heard(socket)

    workers.evict(FEED)
    socket.send("ping")

    while (answer := socket.recv(timeout=PATIENCE)) != "pong":
        assert json.loads(answer)["type"] == "update"


def test_a_query_is_answered_after_hibernation_too(
    workers: Workers, service: Api, watch: Watch, fresh: str
) -> None:
    service.start(fresh, runId=fresh)
    socket = watch()
    heard(socket)

    workers.evict(FEED)
    socket.send(json.dumps({"type": "query", "params": {"workflowType": fresh}}))

    answer = heard_of(socket, "query_result")
    assert [run["id"] for run in answer["data"]] == [fresh]


@pytest.mark.parametrize(
    "message", ["{", "null", "[]", '{"type":"drop"}', '{"type":"query","params":{"limit":0}}']
)
def test_a_bad_message_is_answered_with_an_error(watch: Watch, message: str) -> None:
    socket = watch()
    heard(socket)

    socket.send(message)

    assert heard_of(socket, "error")["error"]


@pytest.mark.parametrize("message", ["x" * 17_000, b"bytes"])
def test_an_oversize_or_binary_message_ends_the_connection(
    watch: Watch, message: str | bytes
) -> None:
    socket = watch()
    heard(socket)

    socket.send(message)

    with pytest.raises(ConnectionClosedError) as closed:
        list(socket)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


def test_a_watcher_that_leaves_affects_no_other(service: Api, watch: Watch, fresh: str) -> None:
    leaving, staying = watch(), watch()
    heard(staying)

    leaving.close()
    service.start(fresh, runId=fresh)

    assert events_of(staying, fresh, 1)
    assert leaving.close_code == 1000


@pytest.mark.parametrize(
    ("worker", "key", "origin", "status"),
    [
        ("service", "", None, 401),
        ("service", "wrong", None, 401),
        ("keyless", KEY, None, 401),
        ("service", KEY, "https://evil.example", 403),
        ("service", KEY, "https://app.example.com.evil.example", 403),
    ],
)
def test_who_may_not_watch(
    watch: Watch, worker: str, key: str, origin: str | None, status: int
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        watch(worker, key, origin=origin)

    assert refused.value.response.status_code == status


@pytest.mark.parametrize(
    ("worker", "key", "origin"),
    [
        ("service", KEY, "https://app.example.com"),
        ("open-api", "", None),
        ("open-api", "", "https://any.example"),
    ],
)
def test_who_may_watch(watch: Watch, worker: str, key: str, origin: str | None) -> None:
    assert heard(watch(worker, key, origin=origin))["type"] == "initial_data"


def test_a_request_without_an_upgrade_is_refused(service: Api, probe: Probe) -> None:
    answer = service.client.get(PATH, headers={"X-API-Key": KEY})

    assert answer.status_code == 426
    assert answer.json()["success"] is False
    assert service.post(PATH, {}).status_code == 405
    assert probe.call("tracker-fetch") == {"status": 426}


def test_a_request_that_dies_while_it_gathers_leaves_no_event_behind(
    watch: Watch, probe: Probe, fresh: str
) -> None:
    socket = watch(query={"workflowId": fresh})
    heard(socket)

    probe.client.post("/publish", json={"run": fresh, "dies": True})
    probe.call("publish", run=fresh)

    assert len(events_of(socket, fresh, 2)) == 2
