"""Starting runs: what is recorded, what reaches the Workflow, and what may be repeated."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.worker.worker_calls import Api, Probe

pytestmark = pytest.mark.workerd


def test_a_start_records_a_run_and_its_workflow(service: Api, probe: Probe, fresh: str) -> None:
    started = service.start(
        fresh, params={"n": 1}, ref_id="o-1", ref_type="order", metadata={"by": "ann"}
    )

    run = service.run(started["workflowId"])
    assert started["success"] is True
    assert started["runId"] == started["workflowId"] == run["id"]
    assert started["status"] == run["status"] == "Running"
    assert (run["ref_id"], run["ref_type"]) == ("o-1", "order")
    assert (run["input_params"], run["metadata"]) == ('{"n":1}', '{"by":"ann"}')
    [workflow] = probe.sql("SELECT * FROM workflow WHERE name = ?", fresh)
    assert workflow["id"] == started["workflow_id"] == run["workflow_id"]
    assert workflow["last_run_id"] == run["id"]
    assert workflow["runs_count"] == 1
    assert workflow["created_at"] == run["created_at"]


def test_references_are_optional(service: Api, fresh: str) -> None:
    first = service.start(fresh)
    again = service.start(fresh, ref_id="", ref_type=None)
    other = service.start(fresh, ref_id="1")

    assert first["ref_id"] is None
    assert again["workflow_id"] == first["workflow_id"]
    assert other["workflow_id"] != first["workflow_id"]


def test_params_and_references_reach_the_workflow(service: Api, probe: Probe) -> None:
    started = service.start("echo", params={"deep": {"n": [1]}}, ref_id=42, ref_type="order")

    output = probe.wait_until_ended("ECHO", started["workflowId"])["output"]

    assert output == {"deep": {"n": [1]}, "ref_id": "42", "ref_type": "order"}


def test_a_new_run_takes_over_its_workflow(service: Api, probe: Probe, fresh: str) -> None:
    first = service.start(fresh, params={"n": 1})
    service.update("run_update", id=first["runId"], status="Completed", output_result="done")
    second = service.start(fresh, params={"n": 2})

    [workflow] = probe.sql("SELECT * FROM workflow WHERE name = ?", fresh)
    assert workflow["last_run_id"] == second["runId"]
    assert workflow["runs_count"] == 2
    assert workflow["status"] == "Running"
    assert workflow["completed_at"] is None
    assert workflow["output_result"] is None
    assert workflow["input_params"] == '{"n":1}'
    assert service.run(second["runId"])["input_params"] == '{"n":2}'


def test_concurrent_starts_are_counted_exactly(service: Api, probe: Probe, fresh: str) -> None:
    with ThreadPoolExecutor(50) as pool:
        started = list(pool.map(lambda _: service.start(fresh, ref_id="one"), range(100)))

    workflows = probe.sql("SELECT runs_count, last_run_id FROM workflow WHERE name = ?", fresh)
    assert len({start["runId"] for start in started}) == 100
    assert [workflow["runs_count"] for workflow in workflows] == [100]


@pytest.mark.parametrize("by", ["key", "run id"])
def test_a_repeated_start_starts_once(service: Api, probe: Probe, fresh: str, by: str) -> None:
    body: dict[str, object] = {"workflowType": "echo", "params": {"n": 1}, "ref_id": fresh}
    if by == "run id":
        body["runId"] = fresh
    headers = {"Idempotency-Key": fresh} if by == "key" else {}

    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: service.post("/service/start-workflow", body, **headers), range(8))
        )
    other = service.post("/service/start-workflow", body | {"params": {"n": 2}}, **headers)

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["workflowId"] for answer in answers}) == 1
    assert sorted(answer.json()["created"] for answer in answers) == [False] * 7 + [True]
    counted = probe.sql("SELECT runs_count FROM workflow WHERE ref_id = ?", fresh)
    assert counted == [{"runs_count": 1}]
    assert service.run(answers[0].json()["workflowId"])["status"] == "Running"
    assert other.status_code == 422


def test_a_repeated_start_carries_out_what_was_cut_off(
    service: Api, probe: Probe, fresh: str
) -> None:
    body = {"workflowType": "echo", "params": {"n": 1}, "runId": fresh}
    service.post("/service/start-workflow", body)
    probe.wait_until_ended("ECHO", fresh)

    replay = service.post("/service/start-workflow", body).json()

    assert (replay["idempotent_replay"], replay["status"]) == (True, "Running")


def test_a_run_whose_workflow_is_not_created_ends_errored(
    clients: dict[str, httpx.Client], service: Api, fresh: str
) -> None:
    allow_list = Api(clients["allow-list"])
    answer = allow_list.post("/service/start-workflow", {"workflowType": "lost", "runId": fresh})
    repeated = allow_list.post("/service/start-workflow", {"workflowType": "lost", "runId": fresh})

    run = service.run(fresh)
    assert answer.status_code == repeated.status_code == 502
    assert answer.json()["workflowId"] == fresh
    assert run["status"] == "Errored"
    assert "not bound" in run["output_result"]
    assert run["completed_at"] is not None


@pytest.mark.parametrize("name", ["db", "service_api_key", "workflow-tracker", "some-service", "x"])
def test_a_type_selects_nothing_but_a_workflow(service: Api, name: str) -> None:
    assert service.start(name)["status"] == "Running"


def test_a_map_of_workflows_is_the_only_choice(
    clients: dict[str, httpx.Client], probe: Probe, fresh: str
) -> None:
    allow_list = Api(clients["allow-list"])
    mail = allow_list.start("mail", params={"to": "ann"})
    echo = allow_list.start("echo", runId=fresh)

    assert probe.wait_until_ended("ECHO", mail["runId"])["output"] == {"to": "ann"}
    assert echo["status"] == "Running"
    missing = probe.client.post("/instance", json={"binding": "ECHO", "id": fresh})
    assert missing.status_code == 500


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "workflowType"),
        ({"workflowType": "no spaces"}, "workflowType"),
        ({"workflowType": "x", "params": [1]}, "params"),
        ({"workflowType": "x", "params": "text"}, "params"),
        ({"workflowType": "x", "ref_id": "line\nbreak"}, "ref_id"),
        ({"workflowType": "x", "ref_type": "x" * 257}, "ref_type"),
        ({"workflowType": "x", "metadata": {"k": "x" * 17000}}, "metadata"),
        ({"workflowType": "x", "runId": "-starts-with-a-hyphen"}, "runId"),
        ([], ""),
        ("text", ""),
    ],
)
def test_a_bad_start_names_its_fields(service: Api, body: object, path: str) -> None:
    answer = service.post("/service/start-workflow", body)

    assert answer.status_code == 400
    assert [error["path"] for error in answer.json()["errors"]] == [path]
