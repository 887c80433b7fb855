"""A client of the previous release with this service, and this client with the previous service."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.waiting import wait_until
from tests.worker.worker_calls import Api

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("pairs")]

Call = Callable[..., Any]


@pytest.fixture(params=["old-client", "client"])
def party(request: pytest.FixtureRequest) -> str:
    """Call the client; either it or its service is the previous release's."""
    return request.param


@pytest.fixture
def call(pairs: dict[str, Api], urls: dict[str, str], party: str) -> Call:
    service = {"old-client": "service", "client": "old-service"}[party]

    def call_client(name: str, *values: object, bound: str = "service") -> Any:
        body = {"name": name, "values": values, "bound": bound, "url": urls[service]}
        answer = pairs[party].client.post("/", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return call_client


def test_a_run_is_started_got_and_listed(call: Call, fresh: str) -> None:
    started = call("startWorkflow", fresh, {"n": 1}, "7", fresh, {"by": "ann"})

    assert (started["success"], started["ref_id"], started["ref_type"]) == (True, "7", fresh)
    run = call("getWorkflow", started["workflowId"])["workflow"]
    assert (run["status"], run["input_params"]) == ("Running", '{"n":1}')
    assert (run["metadata"], run["steps"]) == ('{"by":"ann"}', [])
    by_type = call("listWorkflows", {"workflowType": fresh, "limit": 1})
    by_ref = call("getWorkflowsByRef", {"ref_id": "7", "ref_type": fresh})
    assert [row["id"] for row in by_type["workflows"] + by_ref["workflows"]] == [run["id"]] * 2


def test_pages_follow_each_other(call: Call, fresh: str) -> None:
    started = [call("startWorkflow", fresh)["workflowId"] for _ in range(3)]

    first = call("listWorkflows", {"workflowType": fresh, "limit": 2})
    second = call("listWorkflows", {"workflowType": fresh, "cursor": first["next_cursor"]})
    pages = first["workflows"] + second["workflows"]
    assert {row["id"] for row in pages} == set(started)
    assert (len(pages), second["next_cursor"]) == (3, None)


def test_a_start_may_be_repeated(call: Call, fresh: str) -> None:
    values = [fresh, {}, None, None, None, {"idempotencyKey": fresh}]

    first, second = call("startWorkflow", *values), call("startWorkflow", *values)

    assert first["workflowId"] == second["workflowId"]
    assert (first["created"], second["created"]) == (True, False)


@pytest.mark.parametrize("bound", ["service", "tracker", "url"])
def test_a_run_is_updated_over_every_transport(call: Call, fresh: str, bound: str) -> None:
    def report(name: str, **data: object) -> Any:
        return call(name, data, bound=bound)

    place = {"workflow_run_id": fresh, "step_name": "one", "step_index": 1}
    assert report("updateWorkflowInstance", id=fresh, workflow_name=fresh, status="Running")
    step = report("updateWorkflowStep", status="Retrying", **place)
    retry = report("recordStepRetry", retry_count=1, last_error="no luck", **place)
    assert report("updateWorkflowStep", status="Completed", state={"n": 1}, **place)
    assert report("updateWorkflowInstance", id=fresh, status="Completed", output_result=[1])

    run = call("getWorkflow", fresh)["workflow"]
    assert (run["status"], run["output_result"]) == ("Completed", "[1]")
    [stored] = run["steps"]
    assert (stored["id"], stored["status"]) == (step["id"], "Completed")
    assert [row["id"] for row in stored["retries"]] == [retry["id"]]


@pytest.mark.parametrize("bound", ["service", "tracker", "url"])
def test_steps_are_tracked_over_every_transport(call: Call, fresh: str, bound: str) -> None:
    failed = call("trackStep", fresh, "pay", 1, {"throws": "no luck"}, bound=bound)
    assert (failed["message"], failed["retryCount"]) == ("no luck", 1)
    assert failed["nextRetryAt"]
    done = call("trackStep", fresh, "pay", 1, {"returns": {"paid": 5}}, bound=bound)
    assert done == {"returned": {"paid": 5}}

    # A step does not wait for the reports of its start and end.
    step = wait_until(
        lambda: call("getWorkflow", fresh)["workflow"]["steps"][0],
        lambda step: step["status"] == "Completed",
    )
    assert (step["status"], step["state"], step["attempt"]) == ("Completed", '{"paid":5}', 2)
    assert [row["last_error"] for row in step["retries"]] == ["no luck"]


def test_an_unknown_run_is_reported(call: Call, fresh: str) -> None:
    answer = call("getWorkflow", fresh)

    assert (answer["success"], answer["workflow"]) == (False, None)
    assert isinstance(answer["error"], str)
