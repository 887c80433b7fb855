"""trackedWorkflow reports a run's start, sleeps, waits and end, with no call in its code."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.waiting import wait_until
from tests.worker.worker_calls import Api, Probe

pytestmark = pytest.mark.workerd

Run = dict[str, Any]


@pytest.fixture
def start(probe: Probe, fresh: str) -> Callable[..., None]:
    """Create an instance natively, so that the service hears of it from the Workflow alone."""

    def create(**params: object) -> None:
        probe.call("create", binding="WRAPPED", id=fresh, params=params)

    return create


def run_in(service: Api, run: str, status: str) -> Run:
    def look() -> Run | None:
        answer = service.post("/service/get-workflow", {"workflowId": run})
        return answer.json()["workflow"] if answer.status_code == 200 else None

    found = wait_until(look, lambda run: run is not None and run["status"] == status)
    assert found is not None
    return found


def test_a_run_is_reported_from_start_to_end(
    service: Api, start: Callable[..., None], fresh: str
) -> None:
    start(order=7, ref_id=fresh, ref_type="order")

    run = run_in(service, fresh, "Completed")
    assert (run["workflow_name"], run["ref_id"], run["ref_type"]) == ("wrapped", fresh, "order")
    assert f'"ref_id":"{fresh}"' in run["input_params"]
    assert '"order":7' in run["output_result"]
    assert run["completed_at"]
    assert [step["step_name"] for step in run["steps"]] == ["first"]


def test_an_error_outside_of_a_step_is_reported(
    service: Api, start: Callable[..., None], fresh: str
) -> None:
    start(error="no more of it")

    run = run_in(service, fresh, "Errored")
    assert run["output_result"] == '{"error":{"name":"RangeError","message":"no more of it"}}'


def test_an_error_that_is_final_is_reported(
    service: Api, start: Callable[..., None], fresh: str
) -> None:
    start(final=True)

    assert "never" in run_in(service, fresh, "Errored")["output_result"]


def test_a_sleep_is_reported_while_it_lasts(
    service: Api, start: Callable[..., None], fresh: str
) -> None:
    start(sleep=1500)

    asleep = run_in(service, fresh, "Sleeping")
    assert asleep["updated_at"] < asleep["sleep_until"]
    assert run_in(service, fresh, "Completed")["sleep_until"] is None


def test_a_wait_for_an_event_is_reported_as_sleep_without_an_end(
    service: Api, probe: Probe, start: Callable[..., None], fresh: str
) -> None:
    start(wait=True)

    assert run_in(service, fresh, "Sleeping")["sleep_until"] is None
    signal = [{"type": "signal", "payload": 1}]
    probe.call("control", binding="WRAPPED", id=fresh, action="sendEvent", values=signal)
    run_in(service, fresh, "Completed")


def test_a_step_that_timed_out_at_last_has_failed_with_its_run(
    service: Api, start: Callable[..., None], fresh: str
) -> None:
    start(hangs=True)

    run_in(service, fresh, "Errored")
    step = service.step_in(fresh, "Failed")
    assert "The platform stopped this attempt" in step["state"]


def test_a_restart_is_reported(
    service: Api, probe: Probe, start: Callable[..., None], fresh: str
) -> None:
    start(wait=True)
    signal = [{"type": "signal", "payload": 1}]
    probe.call("control", binding="WRAPPED", id=fresh, action="sendEvent", values=signal)
    run_in(service, fresh, "Completed")

    probe.call("control", binding="WRAPPED", id=fresh, action="restart")

    run = run_in(service, fresh, "Sleeping")
    assert run["completed_at"] is None
    assert [step["attempt"] for step in run["steps"]] == [2]


@pytest.mark.parametrize("action", ["pause", "terminate"])
def test_a_run_that_is_stopped_from_outside_is_not_reported_as_failed(
    service: Api, probe: Probe, start: Callable[..., None], fresh: str, action: str
) -> None:
    start(wait=True)
    run_in(service, fresh, "Sleeping")

    probe.call("control", binding="WRAPPED", id=fresh, action=action)
    stopped = {"paused", "terminated"}
    wait_until(
        lambda: probe.call("instance", binding="WRAPPED", id=fresh),
        lambda instance: instance["status"] in stopped,
    )

    # Behind whatever the Workflow reported.
    service.update("run_update", id=fresh, metadata={"seen": True})
    assert run_in(service, fresh, "Sleeping")["output_result"] is None
