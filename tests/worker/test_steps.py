"""Steps and their retries: one row for each, even if updates are late, repeated or out of order."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.worker.worker_calls import Api

pytestmark = pytest.mark.workerd


class Step:
    """One step of one run, as a caller of the API sees it."""

    def __init__(self, service: Api, run: str) -> None:
        self.service = service
        self.place = {"workflow_run_id": run, "step_name": "charge", "step_index": 2}
        self.run = run

    def tell(self, status: str, **fields: object) -> dict[str, Any]:
        return self.service.update("step_update", status=status, **self.place, **fields)

    def retry(self, **fields: object) -> dict[str, Any]:
        return self.service.update("retry_update", **self.place, **fields)

    @property
    def read_row(self) -> dict[str, Any]:
        [read_row] = self.service.run(self.run)["steps"]
        return read_row


@pytest.fixture
def step(service: Api, fresh: str) -> Step:
    return Step(service, fresh)


def test_start_and_end_are_one_row(step: Step) -> None:
    began = step.tell("Running")
    ended = step.tell("Completed", state={"paid": True})

    read_row = step.read_row
    assert began["id"] == ended["id"] == read_row["id"]
    assert (read_row["status"], read_row["state"]) == ("Completed", '{"paid":true}')
    assert read_row["started_at"] < read_row["completed_at"]


def test_a_step_that_comes_first_registers_its_run(step: Step, service: Api, fresh: str) -> None:
    step.tell("Pending", workflow_name=fresh, ref_id="7")

    run = service.run(fresh)
    assert (run["workflow_name"], run["ref_id"], run["status"]) == (fresh, "7", "Running")
    assert (step.read_row["status"], step.read_row["started_at"]) == ("Pending", None)


def test_a_step_shows_that_its_run_is_alive(step: Step, service: Api, fresh: str) -> None:
    step.tell("Running")
    before = service.run(fresh)["updated_at"]

    step.tell("Completed")

    assert service.run(fresh)["updated_at"] > before


def test_concurrent_reports_are_one_row(step: Step) -> None:
    with ThreadPoolExecutor(10) as pool:
        told = list(pool.map(lambda _: step.tell("Running"), range(10)))

    assert len({result["id"] for result in told}) == 1
    assert step.read_row["attempt"] == 1


def test_attempts_are_counted_by_the_service(step: Step) -> None:
    attempts = [step.tell(status)["attempt"] for status in ("Running", "Retrying") * 3]

    assert attempts == [1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize("late", ["Pending", "Running", "Retrying", "Failed"])
def test_a_completed_step_stays_completed(step: Step, late: str) -> None:
    step.tell("Completed", state="kept")
    before = step.read_row

    result = step.tell(late, state="lost")

    assert (result["updated"], result["ignored"], result["status"]) == (False, True, "Completed")
    assert step.read_row == before


def test_a_late_update_of_an_earlier_attempt_is_ignored(step: Step) -> None:
    step.tell("Running", attempt=2)

    assert step.tell("Failed", attempt=1)["ignored"] is True
    assert step.read_row["status"] == "Running"


def test_a_failed_step_may_be_attempted_once_more(step: Step) -> None:
    step.tell("Failed")
    failed = step.read_row

    assert step.tell("Running")["ignored"] is True
    assert step.tell("Completed", attempt=2)["updated"] is True
    assert failed["completed_at"] < step.read_row["completed_at"]


def test_a_step_is_known_by_its_id_too(step: Step, service: Api, fresh: str) -> None:
    step_id = step.tell("Running")["id"]

    by_id = service.update("step_update", id=step_id, status="Completed", state="1")
    foreign = service.post(
        "/api/workflows/update",
        {
            "type": "step_update",
            "step_update": {"id": step_id, "workflow_run_id": f"{fresh}-other"},
        },
    )

    assert by_id["updated"] is True
    assert step.read_row["status"] == "Completed"
    assert foreign.status_code == 404


def test_an_oversize_state_becomes_its_size(step: Step) -> None:
    step.tell("Completed", state="x" * 300_000)

    assert step.read_row["state"] == '{"__truncated":true,"bytes":300000}'


def test_a_retry_is_one_row_for_each_attempt(step: Step) -> None:
    step.tell("Running")
    first = step.retry(retry_count=1, retry_at=1_800_000_000_000, last_error="no luck")
    again = step.retry(retry_count=1, last_error="no luck at all")
    step.tell("Retrying", attempt=1)
    step.tell("Running")
    counted = step.retry(last_error="x" * 9000)

    retries = step.read_row["retries"]
    assert first["id"] == again["id"] != counted["id"]
    assert [retry["retry_count"] for retry in retries] == [1, 2]
    assert retries[0]["retry_at"] == "2027-01-15T08:00:00.000Z"
    assert retries[0]["last_error"] == "no luck at all"
    assert len(retries[1]["last_error"]) == 8192


def test_a_retry_finds_its_step_by_id_or_place(step: Step, service: Api, fresh: str) -> None:
    step_id = step.tell("Running")["id"]

    service.update("retry_update", workflow_step_id=step_id, retry_count=1)
    service.update("retry_update", workflow_run_id=fresh, step_index=2, retry_count=2)

    assert [retry["workflow_step_id"] for retry in step.read_row["retries"]] == [step_id] * 2


@pytest.mark.parametrize(
    ("kind", "fields", "status"),
    [
        ("step_update", {"id": 2**40, "status": "Running"}, 404),
        ("retry_update", {"workflow_step_id": 2**40, "retry_count": 1}, 400),
        ("retry_update", {"workflow_run_id": "nobody", "step_index": 1, "retry_count": 1}, 400),
        ("step_update", {"step_name": "one", "step_index": 1}, 400),
        ("step_update", {"workflow_run_id": "a", "step_index": 1}, 400),
        ("step_update", {"workflow_run_id": "a", "step_name": "one", "step_index": -1}, 400),
        ("step_update", {"workflow_run_id": "a", "step_name": "one", "step_index": 1.5}, 400),
        ("step_update", {"id": "1; DROP TABLE workflow"}, 400),
        ("retry_update", {"retry_count": 1}, 400),
        ("retry_update", {"workflow_step_id": 1, "retry_count": "many"}, 400),
    ],
)
def test_a_bad_step_or_retry_is_refused(
    service: Api, kind: str, fields: dict[str, object], status: int
) -> None:
    answer = service.post("/api/workflows/update", {"type": kind, kind: fields})

    assert answer.status_code == status
