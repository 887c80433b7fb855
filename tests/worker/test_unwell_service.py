"""Steps whose tracker hangs, is slow, fails or is missing run as if they were not tracked."""

from typing import Any

import pytest

from tests.support.waiting import wait_until
from tests.worker.worker_calls import Api, Probe

pytestmark = pytest.mark.workerd

FORMS = ["trackStep", "step.do", "trackedStep"]
UNWELL = ["hanging", "hanging-rpc", "hanging-tracker", "slow", "service-down", "nothing"]
STEPS = {1: "step-1", 2: "step-2", 3: "step-3"}


def wait_until_ended(probe: Probe, run: str) -> dict[str, Any]:
    return probe.wait_until_ended("TIMED", run)


def all_completed(run: dict[str, Any]) -> bool:
    return [step["status"] for step in run["steps"]] == ["Completed"] * len(STEPS)


@pytest.mark.parametrize("bound", UNWELL)
@pytest.mark.parametrize("form", FORMS)
def test_a_step_runs_once_and_is_not_delayed(
    service: Api, probe: Probe, fresh: str, form: str, bound: str
) -> None:
    service.start("timed", runId=fresh, params={"form": form, "bound": bound})

    instance = wait_until_ended(probe, fresh)

    assert probe.call("executions", run=fresh) == {f"{fresh} {index}": 1 for index in STEPS}
    assert (instance["status"], instance["output"]["results"]) == ("complete", list(STEPS))
    assert max(instance["output"]["spent"]) < 50


@pytest.mark.parametrize("bound", ["hanging", "service-down", "nothing"])
@pytest.mark.parametrize("form", ["step.do", "trackedStep"])
def test_a_failing_step_is_retried_as_often_as_without_a_tracker(
    service: Api, probe: Probe, fresh: str, form: str, bound: str
) -> None:
    service.start("timed", runId=fresh, params={"form": form, "bound": bound, "failures": 2})

    instance = wait_until_ended(probe, fresh)

    assert probe.call("executions", run=fresh) == {f"{fresh} {index}": 3 for index in STEPS}
    assert (instance["status"], instance["output"]["results"]) == ("complete", list(STEPS))


@pytest.mark.parametrize("form", FORMS)
def test_a_run_that_has_ended_shows_all_its_steps(
    service: Api, probe: Probe, fresh: str, form: str
) -> None:
    service.start("timed", runId=fresh, params={"form": form, "bound": "service"})
    wait_until_ended(probe, fresh)

    run = wait_until(lambda: service.run(fresh), all_completed)

    assert [(step["step_index"], step["status"], step["state"]) for step in run["steps"]] == [
        (index, "Completed", f'{{"index":{index}}}') for index in STEPS
    ]
    assert all(step["started_at"] < step["completed_at"] for step in run["steps"])


@pytest.mark.parametrize("bound", ["late", "deaf", "recovering"])
@pytest.mark.parametrize("form", ["step.do", "trackedStep"])
def test_updates_that_come_late_or_twice_give_the_same_table(
    service: Api, probe: Probe, fresh: str, form: str, bound: str
) -> None:
    service.start("timed", runId=fresh, params={"form": form, "bound": bound, "failures": 2})
    instance = wait_until_ended(probe, fresh)

    run = wait_until(lambda: service.run(fresh), all_completed)

    assert instance["output"]["results"] == list(STEPS)
    assert [
        (
            *(step[name] for name in ("step_name", "status", "attempt", "state")),
            [(retry["retry_count"], retry["last_error"]) for retry in step["retries"]],
        )
        for step in run["steps"]
    ] == [
        (name, "Completed", 3, f'{{"index":{index}}}', [(1, "attempt 1"), (2, "attempt 2")])
        for index, name in STEPS.items()
    ]
    assert all(step["started_at"] < step["completed_at"] for step in run["steps"])
