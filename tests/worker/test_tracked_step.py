"""trackedStep in real Workflows: it records each attempt of the platform, also after a restart."""

from typing import Any

import pytest

from tests.support.waiting import wait_until
from tests.worker.worker_calls import Api, Probe

pytestmark = pytest.mark.workerd


def wait_until_ended(probe: Probe, run: str) -> dict[str, Any]:
    return probe.wait_until_ended("TRACKED", run)


def step_of(service: Api, run: str) -> dict[str, Any]:
    [step] = service.run(run)["steps"]
    return step


def start_workflow(service: Api, run: str, **params: object) -> None:
    service.start("tracked", runId=run, params=params)


def test_a_step_that_succeeds_is_recorded(service: Api, probe: Probe, fresh: str) -> None:
    start_workflow(service, fresh)

    assert wait_until_ended(probe, fresh)["output"] == {"attempt": 1}
    step = service.step_in(fresh, "Completed")
    assert (step["status"], step["attempt"], step["state"]) == ("Completed", 1, '{"attempt":1}')
    assert step["retries"] == []


def test_each_attempt_of_the_platform_is_recorded(service: Api, probe: Probe, fresh: str) -> None:
    start_workflow(service, fresh, failures=2)

    assert wait_until_ended(probe, fresh)["output"] == {"attempt": 3}
    step = service.step_in(fresh, "Completed")
    assert (step["status"], step["attempt"]) == ("Completed", 3)
    told = [(retry["retry_count"], retry["last_error"]) for retry in step["retries"]]
    assert told == [(1, "attempt 1"), (2, "attempt 2")]
    assert all(retry["retry_at"] for retry in step["retries"])


def test_a_step_that_fails_permanently_has_failed(service: Api, probe: Probe, fresh: str) -> None:
    start_workflow(service, fresh, failures=9, limit=1)

    assert wait_until_ended(probe, fresh)["status"] == "errored"
    step = service.step_in(fresh, "Failed")
    assert (step["status"], step["attempt"], len(step["retries"])) == ("Failed", 2, 1)
    assert step["completed_at"]


def test_an_error_that_is_final_is_not_retried(service: Api, probe: Probe, fresh: str) -> None:
    start_workflow(service, fresh, final=True)

    assert wait_until_ended(probe, fresh)["status"] == "errored"
    step = service.step_in(fresh, "Failed")
    assert (step["status"], step["attempt"], step["retries"]) == ("Failed", 1, [])


@pytest.mark.parametrize("form", ["step.do", "trackedStep"])
def test_an_attempt_that_timed_out_is_recorded_as_such(
    service: Api, probe: Probe, fresh: str, form: str
) -> None:
    start_workflow(service, fresh, form=form, hangs=1)

    assert wait_until_ended(probe, fresh)["output"] == {"attempt": 2}
    step = wait_until(
        lambda: service.step_in(fresh, "Completed"),
        # What the work of the dead attempt did later is kept beside it.
        lambda step: "Later its work completed" in str(step["retries"]),
    )
    assert (step["attempt"], step["state"]) == (2, '{"attempt":2}')
    [retry] = step["retries"]
    assert retry["retry_count"] == 1
    assert retry["last_error"].startswith("The platform stopped this attempt")


def test_a_step_whose_last_attempt_timed_out_has_failed(
    service: Api, probe: Probe, fresh: str
) -> None:
    start_workflow(service, fresh, hangs=9, limit=1)

    assert wait_until_ended(probe, fresh)["status"] == "errored"
    step = service.step_in(fresh, "Failed")
    assert (step["attempt"], "The platform stopped this attempt" in step["state"]) == (2, True)


@pytest.mark.parametrize("bound", ["nothing", "wrong-key"])
def test_it_runs_whether_it_is_tracked_or_not(
    service: Api, probe: Probe, fresh: str, bound: str
) -> None:
    start_workflow(service, fresh, failures=1, bound=bound)

    assert wait_until_ended(probe, fresh)["output"] == {"attempt": 2}


def test_a_restarted_workflow_continues_its_count(service: Api, probe: Probe, fresh: str) -> None:
    start_workflow(service, fresh, failures=9, limit=1)
    wait_until_ended(probe, fresh)
    service.step_in(fresh, "Failed")

    probe.call("restart", binding="TRACKED", id=fresh)
    wait_until(lambda: step_of(service, fresh)["attempt"] == 4)
    wait_until_ended(probe, fresh)

    step = service.step_in(fresh, "Failed")
    assert (step["status"], step["attempt"]) == ("Failed", 4)
    assert [retry["retry_count"] for retry in step["retries"]] == [1, 3]


def test_track_step_continues_the_count_as_well(service: Api, probe: Probe, fresh: str) -> None:
    start_workflow(service, fresh, form="trackStep", failures=9)
    wait_until_ended(probe, fresh)
    assert service.step_in(fresh, "Retrying")["attempt"] == 1

    probe.call("restart", binding="TRACKED", id=fresh)
    wait_until(lambda: step_of(service, fresh)["attempt"] == 2)
    wait_until_ended(probe, fresh)

    step = service.step_in(fresh, "Retrying")
    assert (step["status"], step["attempt"]) == ("Retrying", 2)
    assert [retry["retry_count"] for retry in step["retries"]] == [1, 2]


def test_a_restarted_run_has_pending_steps(service: Api, fresh: str) -> None:
    place = {"workflow_run_id": fresh, "step_name": "one", "step_index": 1}
    service.update("step_update", status="Completed", state="1", **place)
    # Reported while it runs, as a replay would: nothing has been restarted.
    service.update("run_update", id=fresh, status="Running", restart=True)
    assert step_of(service, fresh)["status"] == "Completed"

    service.update("run_update", id=fresh, status="Completed")
    service.update("run_update", id=fresh, status="Running", restart=True)

    step = step_of(service, fresh)
    assert (step["status"], step["attempt"], step["state"]) == ("Pending", 2, None)
    assert service.update("step_update", status="Running", **place)["attempt"] == 2
