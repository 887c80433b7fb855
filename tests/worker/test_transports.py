"""How updates reach the service from Workers with different bindings."""

import httpx
import pytest

from tests.worker.worker_calls import Api, Probe

pytestmark = pytest.mark.workerd


@pytest.mark.parametrize(
    "bound",
    ["service", "rpc", "tracker", "url", "service-down-but-tracker", "service-down-but-rpc"],
)
def test_updates_arrive_over_every_transport(
    clients: dict[str, httpx.Client], service: Api, probe: Probe, fresh: str, bound: str
) -> None:
    place = {"workflow_run_id": fresh, "step_name": "one", "step_index": 1}

    def report(name: str, **data: object) -> dict:
        url = str(clients["service"].base_url)
        return probe.call("tracking", name=name, bound=bound, url=url, data=data)["result"]

    run = report("updateWorkflowInstance", id=fresh, workflow_name=fresh, status="Running")
    step = report("updateWorkflowStep", status="Retrying", **place)
    retry = report("recordStepRetry", retry_count=1, last_error="no luck", **place)

    [stored] = service.run(fresh)["steps"]
    assert (run["id"], step["id"]) == (fresh, stored["id"])
    assert retry["id"] == stored["retries"][0]["id"]


@pytest.mark.parametrize("bound", ["service", "rpc", "tracker"])
def test_a_refused_update_is_false(probe: Probe, bound: str) -> None:
    data = {"id": "a b", "status": "Running"}

    result = probe.call("tracking", name="updateWorkflowInstance", bound=bound, data=data)

    assert result == {"result": False}


@pytest.mark.parametrize("bound", ["nothing", "service-down", "wrong-key"])
def test_an_update_that_cannot_arrive_is_false(probe: Probe, fresh: str, bound: str) -> None:
    data = {"id": fresh, "status": "Running"}

    result = probe.call("tracking", name="updateWorkflowInstance", bound=bound, data=data)

    assert result == {"result": False}


def test_a_finished_run_answers_that_it_ignores(probe: Probe, fresh: str) -> None:
    def report(status: str) -> dict:
        data = {"id": fresh, "status": status}
        return probe.call("tracking", name="updateWorkflowInstance", data=data)["result"]

    report("Completed")

    assert report("Running")["ignored"] is True
