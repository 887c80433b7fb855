"""The API reference's samples, copied unchanged, run."""

import httpx
import pytest

from tests.worker.worker_calls import KEY, Api, Probe

pytestmark = pytest.mark.workerd


def test_the_service_sample_is_a_service(clients: dict[str, httpx.Client], fresh: str) -> None:
    sample = Api(clients["sample"])
    origin = "https://your-app.com"

    assert sample.start(fresh)["success"] is True
    answer = sample.post("/api/workflows/query", {}, Origin=origin)
    assert answer.headers["Access-Control-Allow-Origin"] == origin


def test_the_client_sample_is_a_client(service: Api, probe: Probe, fresh: str) -> None:
    service.start(fresh)

    answer = probe.call("sample")

    assert answer["success"] is True
    assert len(answer["workflows"]) == 1


def test_the_tracking_sample_tracks_with_a_text_for_an_id(service: Api, probe: Probe) -> None:
    run = service.start("sample", params={"id": "text"})["runId"]

    assert probe.wait_until_ended("SAMPLE", run)["output"] == {
        "result": {"paid": 1},
        "type": "string",
        "payments": 1,
    }
    step = service.step_in(run, "Completed")
    assert (step["step_name"], step["step_index"]) == ("process-payment", 1)
    assert (step["status"], step["state"]) == ("Completed", '{"paid":1}')


def test_the_tracking_sample_runs_with_the_real_step(service: Api, probe: Probe) -> None:
    run = service.start("sample", params={"id": "step"})["runId"]

    result = {"result": {"paid": 1}, "type": "function", "payments": 1}
    assert probe.wait_until_ended("SAMPLE", run)["output"] == result
    assert service.run(run)["steps"] == []


def test_the_documented_key_is_the_one_in_use(service: Api) -> None:
    assert service.post("/service/list-workflows", {}, **{"X-API-Key": KEY}).status_code == 200
