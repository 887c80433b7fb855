"""Watchers of some runs only, watchers that resume, and watchers that send too much."""

import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from tests.support.waiting import PATIENCE, wait_until
from tests.worker.feed_calls import FEED, Watch, batch_of, heard, heard_of, run_of, tell
from tests.worker.worker_calls import Api, Probe, Workers

pytestmark = pytest.mark.workerd


def by_type(fresh: str) -> dict[str, str]:
    return {"workflowType": fresh}


def by_run(fresh: str) -> dict[str, str]:
    return {"workflowId": fresh}


def by_reference(fresh: str) -> dict[str, str]:
    return {"ref_id": fresh, "ref_type": "order"}


def start_runs(service: Api, fresh: str) -> None:
    """Start a run that matches every filter above, among others that match none."""
    service.start(f"{fresh}-x", runId=f"{fresh}-before", ref_id=f"{fresh}-x", ref_type="order")
    service.start(fresh, runId=fresh, ref_id=fresh, ref_type="order")
    service.start(f"{fresh}-x", runId=f"{fresh}-after", ref_id=fresh, ref_type="other")


def progress(service: Api, fresh: str) -> None:
    """Report a step and a retry of the run, and a step of another."""
    for run in (f"{fresh}-before", fresh, f"{fresh}-after"):
        place = {"workflow_run_id": run, "step_name": "one", "step_index": 1}
        service.update("step_update", status="Retrying", **place)
        service.update("retry_update", retry_count=1, **place)


def receive_until(socket: Any, run: str, count: int) -> list[dict[str, Any]]:
    """Return all events until a number of the run's events has arrived."""
    told: list[dict[str, Any]] = []
    while sum(run_of(event) == run for event in told) < count:
        told += batch_of(heard(socket))
    return told


FILTERS = pytest.mark.parametrize("filters", [by_type, by_run, by_reference])


@FILTERS
def test_a_filter_passes_only_its_runs(
    service: Api, watch: Watch, fresh: str, filters: Any
) -> None:
    start_runs(service, fresh)
    socket = watch(query=filters(fresh))
    first = heard(socket)

    progress(service, fresh)

    assert first["filters"] == filters(fresh)
    assert [run["id"] for run in first["data"]] == [fresh]
    told: list[dict[str, Any]] = []
    while not told or told[-1]["type"] != "retry_update":
        told += batch_of(heard(socket))
    # The start may have been sent when the watcher connected.
    assert [event["type"] for event in told][-2:] == ["step_update", "retry_update"]
    assert {run_of(event) for event in told} == {fresh}


@FILTERS
def test_a_subscription_changes_the_filter_and_survives_hibernation(
    workers: Workers, service: Api, watch: Watch, fresh: str, filters: Any
) -> None:
    socket = watch()
    heard(socket)
    tell(socket, "subscribe", **filters(fresh))
    answer = heard_of(socket, "subscribed")

    workers.evict(FEED)
    start_runs(service, fresh)
    told = receive_until(socket, fresh, 1)
    workers.evict(FEED)
    progress(service, fresh)

    assert answer["filters"] == filters(fresh)
    told += receive_until(socket, fresh, 2)
    assert {run_of(event) for event in told} == {fresh}
    assert [event["type"] for event in told] == ["run_update", "step_update", "retry_update"]


def test_a_subscription_without_filters_is_to_everything(
    service: Api, watch: Watch, fresh: str
) -> None:
    socket = watch(query=by_run(f"{fresh}-none"))
    heard(socket)

    tell(socket, "subscribe")
    heard_of(socket, "subscribed")
    service.start(fresh, runId=fresh)

    assert receive_until(socket, fresh, 1)


def test_a_watcher_resumes_where_it_left(
    workers: Workers, service: Api, watch: Watch, fresh: str
) -> None:
    seq = heard(watch())["seq"]
    service.start(fresh, runId=fresh)
    service.update("run_update", id=fresh, status="Completed")
    receive_until(watch(query={"since": seq}), fresh, 2)

    workers.evict(FEED)
    back = watch(query={"since": seq, "workflowType": fresh})
    resume = heard(back)

    assert (resume["type"], resume["since"]) == ("resumed", seq)
    assert resume["seq"] >= seq + 2
    told = receive_until(back, fresh, 2)
    assert [event["run_update"]["status"] for event in told] == ["Running", "Completed"]


def test_a_connected_watcher_resumes_too(service: Api, watch: Watch, fresh: str) -> None:
    socket = watch(query=by_run(fresh))
    seq = heard(socket)["seq"]
    service.start(fresh, runId=fresh)
    receive_until(socket, fresh, 1)

    tell(socket, "resume", since=seq)
    assert heard_of(socket, "resumed")["filters"] == by_run(fresh)
    assert len(receive_until(socket, fresh, 1)) == 1
    tell(socket, "subscribe", since=seq, **by_type(fresh))
    heard_of(socket, "subscribed")
    heard_of(socket, "resumed")
    assert len(receive_until(socket, fresh, 1)) == 1


def test_a_watcher_that_missed_too_much_must_fetch_again(
    service: Api, watch: Watch, fresh: str
) -> None:
    watcher = watch(query=by_run(f"{fresh}-none"))
    seq = heard(watcher)["seq"]
    params = {"text": "x" * 8000}
    updates = [
        {"type": "run_update", "run_update": {"id": f"{fresh}-{n}", "input_params": params}}
        for n in range(100)
    ]
    for _ in range(2):
        service.ok("/api/workflows/update", {"updates": updates})

    def resume() -> dict[str, Any]:
        tell(watcher, "resume", since=0)
        while (answer := heard(watcher))["type"] not in ("refetch", "resumed"):
            pass  # events that were not missed
        return answer

    answer = wait_until(resume, lambda answer: answer["seq"] >= seq + 200)

    assert answer["type"] == "refetch"
    assert heard(watch(query={"since": seq}))["type"] == "refetch"
    assert heard(watch(query={"since": answer["seq"] + 10_000}))["type"] == "refetch"


@pytest.mark.parametrize(
    "query",
    [
        *[{"since": "-1"}, {"since": "x"}, {"since": "9" * 20}, {"since": ""}],
        *[
            {"workflowId": "a b"},
            {"workflowId": ""},
            {"ref_id": ""},
            {"ref_id": "7", "ref_type": ""},
        ],
        *[{"refId": "7"}, {"filters": '{"ref_id":"7"}'}, {"bound": "{}"}],
    ],
)
def test_a_bad_address_is_refused(watch: Watch, query: dict[str, str]) -> None:
    with pytest.raises(InvalidStatus) as refused:
        watch(query=query)

    assert refused.value.response.status_code == 400


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("subscribe", {"workflowId": "a b"}),
        ("subscribe", {"since": -1}),
        ("subscribe", {"ref_id": {}}),
        ("subscribe", {"ref_id": ""}),
        ("subscribe", {"ref_id": None}),
        ("subscribe", {"refId": "7"}),
        ("subscribe", {"filters": {"ref_id": "7"}}),
        ("resume", {"since": "x"}),
        ("unsubscribe", {}),
    ],
)
def test_a_bad_subscription_changes_nothing(
    service: Api, watch: Watch, fresh: str, kind: str, params: dict[str, object]
) -> None:
    socket = watch(query=by_run(fresh))
    heard(socket)

    tell(socket, kind, **params)
    assert heard(socket)["type"] == "error"
    start_runs(service, fresh)

    assert len(receive_until(socket, fresh, 1)) == 1


@pytest.mark.parametrize(
    "message",
    [
        {"type": "subscribe", "ref_id": "7"},
        {"type": "subscribe", "filters": {"ref_id": "7"}},
        {"type": "subscribe", "params": None},
        {"type": "subscribe", "params": ""},
    ],
)
def test_a_subscription_is_in_params_or_refused(
    service: Api, watch: Watch, fresh: str, message: object
) -> None:
    socket = watch(query=by_run(fresh))
    heard(socket)

    socket.send(json.dumps(message))
    assert heard(socket)["type"] == "error"
    start_runs(service, fresh)

    assert {run_of(event) for event in receive_until(socket, fresh, 1)} == {fresh}


def test_a_watcher_that_sends_too_much_is_disconnected_alone(
    service: Api, watch: Watch, fresh: str
) -> None:
    talker, other = watch(query=by_run(fresh)), watch(query=by_run(fresh))
    heard(other)

    for _ in range(70):
        tell(talker, "nothing")
    with pytest.raises(ConnectionClosedError) as closed:
        list(talker)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008
    start_runs(service, fresh)
    assert receive_until(other, fresh, 1)


def test_pings_are_not_counted(watch: Watch, fresh: str) -> None:
    socket = watch(query=by_run(fresh))
    heard(socket)

    for _ in range(100):
        socket.send("ping")

    assert [socket.recv(timeout=PATIENCE) for _ in range(100)] == ["pong"] * 100


def test_a_watcher_that_does_not_read_delays_no_other(
    service: Api, watch: Watch, fresh: str
) -> None:
    # It takes nothing from its socket once its small queue is full.
    slow = watch(max_queue=1)
    quick = watch(query=by_run(fresh))
    heard(quick)
    params = {"text": "x" * 8000}
    for round_ in range(8):
        updates = [
            {"type": "run_update", "run_update": {"id": f"{fresh}-{n}", "input_params": params}}
            for n in range(90)
        ]
        service.ok("/api/workflows/update", {"updates": updates})
        service.update("run_update", id=fresh, metadata={"round": round_})
        assert receive_until(quick, fresh, 1)  # while the slow socket is not read
    slow.close_timeout = 0.1


def test_a_filter_reads_no_run_that_was_seen_to_start(
    service: Api, watch: Watch, probe: Probe, fresh: str
) -> None:
    socket = watch(query=by_type(fresh))
    heard(socket)
    start_runs(service, fresh)
    receive_until(socket, fresh, 1)

    # The feed knows the run by now, whatever the database contains.
    probe.sql("UPDATE workflow_runs SET workflow_name = 'renamed' WHERE id = ?", fresh)
    progress(service, fresh)

    assert receive_until(socket, fresh, 2)
