"""WorkflowClient, as another Worker uses it over its service binding."""

from typing import Any

import pytest

from tests.worker.worker_calls import KEY, Api, Probe, Workers

pytestmark = pytest.mark.workerd


@pytest.fixture
def client(probe: Probe) -> Any:
    def call(method: str, *values: object, **options: object) -> dict[str, Any]:
        return probe.call("client", method=method, values=values, options=options)

    return call


def test_a_run_is_started_and_found_by_every_method(client: Any, fresh: str) -> None:
    started = client("startWorkflow", fresh, {"n": 1}, "7", fresh, {"by": "ann"})

    run_id = started["workflowId"]
    run = client("getWorkflow", run_id)["workflow"]
    assert (run["input_params"], run["metadata"]) == ('{"n":1}', '{"by":"ann"}')
    listed = client("listWorkflows", {"workflowType": fresh, "limit": 1})
    by_ref = client("getWorkflowsByRef", {"ref_id": "7", "ref_type": fresh})
    assert [row["id"] for row in listed["workflows"] + by_ref["workflows"]] == [run_id] * 2


def test_only_the_type_is_required(client: Any, fresh: str) -> None:
    assert client("startWorkflow", fresh)["success"] is True
    assert client("listWorkflows")["success"] is True


@pytest.mark.parametrize("option", ["idempotencyKey", "runId"])
def test_a_start_may_be_made_repeatable(client: Any, fresh: str, option: str) -> None:
    values = [fresh, {"n": 1}, None, None, None, {option: fresh}]

    first, second = client("startWorkflow", *values), client("startWorkflow", *values)

    assert first["workflowId"] == second["workflowId"]
    assert (first["created"], second["created"]) == (True, False)


def test_a_failure_is_an_answer(client: Any) -> None:
    answer = client("getWorkflow", "nobody")

    assert (answer["success"], answer["workflow"], answer["status"]) == (False, None, 404)


def test_a_failure_is_an_error_on_request(client: Any) -> None:
    thrown = client("getWorkflow", "nobody", throwOnError=True)

    assert (thrown["thrown"], thrown["status"]) == ("WorkflowServiceError", 404)
    assert thrown["message"] == "There is no such workflow"


def test_a_wrong_key_is_reported(client: Any) -> None:
    assert client("listWorkflows", apiKey="wrong")["status"] == 401


def test_it_works_over_a_plain_address(
    client: Any, service: Api, workers: Workers, fresh: str
) -> None:
    service.start(fresh, runId=fresh)
    address = {"serviceBinding": None, "baseUrl": workers.urls["service"], "apiKey": KEY}

    assert client("getWorkflow", fresh, **address)["workflow"]["id"] == fresh
