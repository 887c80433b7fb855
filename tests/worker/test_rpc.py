"""The entrypoint FlowflareService: the service as methods, for Workers that are bound to it."""

from typing import Any

import pytest

from tests.worker.worker_calls import Api, Probe

pytestmark = pytest.mark.workerd


@pytest.fixture
def rpc(probe: Probe) -> Any:
    def call(method: str, *values: object) -> dict[str, Any]:
        return probe.call("rpc", method=method, values=values)

    return call


@pytest.fixture
def client(probe: Probe) -> Any:
    def call(method: str, *values: object, **options: object) -> dict[str, Any]:
        return probe.call("client", method=method, values=values, options=options, rpc=True)

    return call


def test_its_methods_need_no_key(rpc: Any, fresh: str) -> None:
    started = rpc("startWorkflow", {"workflowType": fresh, "ref_id": "7"})
    run_id = started["workflowId"]
    rpc("update", {"type": "run_update", "run_update": {"id": run_id, "status": "Completed"}})

    assert rpc("getWorkflow", run_id)["workflow"]["status"] == "Completed"
    assert rpc("listWorkflows", {"workflowType": fresh})["workflows"][0]["id"] == run_id
    assert rpc("getWorkflowsByRef", {"ref_id": "7", "limit": 1})["workflows"]
    assert rpc("query", {"workflowType": fresh})["data"][0]["id"] == run_id


def test_a_start_may_be_made_repeatable(rpc: Any, fresh: str) -> None:
    values = [{"workflowType": fresh}, {"idempotencyKey": fresh}]

    first, second = rpc("startWorkflow", *values), rpc("startWorkflow", *values)

    assert (first["runId"], first["created"]) == (second["runId"], not second["created"])


def test_failures_are_answers(rpc: Any) -> None:
    assert rpc("getWorkflow", "nobody")["status"] == 404
    assert rpc("listWorkflows", {"limit": 0})["errors"][0]["path"] == "limit"
    assert rpc("update", {"type": "drop"})["status"] == 400
    assert rpc("update", {"updates": ["x" * 2**20]})["status"] == 413


@pytest.mark.parametrize("odd", ["bigint", "loop", "nothing", "date"])
def test_arguments_that_are_not_json_are_refused(probe: Probe, odd: str) -> None:
    answer = probe.call("rpc-odd", odd=odd)

    assert (answer["success"], answer["status"]) == (False, 400)


def test_it_answers_requests_as_well(probe: Probe, service: Api, fresh: str) -> None:
    service.start(fresh, runId=fresh)

    found = probe.call("rpc-fetch", path="/service/get-workflow", body={"workflowId": fresh})
    lost = probe.call("rpc-fetch", path="/service/drop", body={})

    assert (found["status"], found["body"]["workflow"]["id"]) == (200, fresh)
    assert lost["status"] == 404


def test_the_client_uses_it(client: Any, fresh: str) -> None:
    started = client("startWorkflow", fresh, {"n": 1}, "7", fresh)
    run_id = started["workflowId"]

    assert client("getWorkflow", run_id)["workflow"]["id"] == run_id
    by_type = client("listWorkflows", {"workflowType": fresh})
    by_ref = client("getWorkflowsByRef", {"ref_type": fresh})
    assert [row["id"] for row in by_type["workflows"] + by_ref["workflows"]] == [run_id] * 2


def test_the_clients_failures_are_the_same(client: Any) -> None:
    assert client("getWorkflow", "nobody")["workflow"] is None
    thrown = client("getWorkflow", "nobody", throwOnError=True)
    assert (thrown["thrown"], thrown["status"]) == ("WorkflowServiceError", 404)
