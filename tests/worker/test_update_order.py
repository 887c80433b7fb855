"""Updates with an order number give the same table when late, repeated or in any order."""

from collections.abc import Iterable
from itertools import permutations
from typing import Any

import pytest

from tests.worker.worker_calls import Api

pytestmark = pytest.mark.workerd

Delivery = list[dict[str, Any]]


def deliveries(run: str, numbered: bool) -> list[Delivery]:
    """Return two attempts of a step as the library reports them; `numbered` if it knows which."""
    place = {"workflow_run_id": run, "step_name": "charge", "step_index": 1}

    def step(order: int, attempt: int, status: str, **fields: object) -> dict[str, Any]:
        report = place | {"order": order, "status": status} | fields
        return {
            "type": "step_update",
            "step_update": report | ({"attempt": attempt} if numbered else {}),
        }

    retry = place | {"order": 3, "last_error": "no luck"} | ({"retry_count": 1} if numbered else {})
    return [
        [step(1, 1, "Running")],
        [
            step(2, 1, "Retrying", state={"error": "no luck"}),
            {"type": "retry_update", "retry_update": retry},
        ],
        [step(4, 2, "Running")],
        [step(5, 2, "Completed", state={"paid": True})],
    ]


def deliver(service: Api, given: Iterable[Delivery]) -> None:
    for updates in given:
        service.ok("/api/workflows/update", {"updates": updates})


def table(service: Api, run: str) -> Any:
    [step] = service.run(run)["steps"]
    retries = [(retry["retry_count"], retry["last_error"]) for retry in step["retries"]]
    return step["status"], step["attempt"], step["state"], retries


RIGHT = ("Completed", 2, '{"paid":true}', [(1, "no luck")])


def test_in_any_order_and_twice_they_give_the_same_table(service: Api, fresh: str) -> None:
    for number, order in enumerate(permutations(range(4))):
        run = f"{fresh}-{number}"
        report = deliveries(run, numbered=True)
        deliver(service, [report[at] for at in (*order, *reversed(order))])

        assert table(service, run) == RIGHT, order


@pytest.mark.parametrize(
    "order", [(0, 1, 2, 3), (0, 0, 1, 1, 2, 2, 3, 3), (0, 1, 0, 2, 1, 3, 2, 0), (0, 1, 2, 3, 1, 0)]
)
def test_a_repeated_update_is_not_another_attempt(
    service: Api, fresh: str, order: tuple[int, ...]
) -> None:
    report = deliveries(fresh, numbered=False)

    deliver(service, [report[at] for at in order])

    assert table(service, fresh) == RIGHT


def test_a_step_that_runs_again_after_it_failed_permanently_is_in_its_next_attempt(
    service: Api, fresh: str
) -> None:
    place = {"workflow_run_id": fresh, "step_name": "charge", "step_index": 1}
    # A restarted Workflow counts its attempts from 1 again.
    for order, status in enumerate(["Running", "Failed", "Running"]):
        answer = service.update("step_update", status=status, attempt=1, order=order + 1, **place)

    assert (answer["updated"], answer["attempt"]) == (True, 2)
    service.update("step_update", status="Completed", attempt=1, order=4, **place)
    [step] = service.run(fresh)["steps"]
    assert (step["status"], step["attempt"]) == ("Completed", 2)


def test_a_late_update_does_not_change_a_run_back(service: Api, fresh: str) -> None:
    def report(order: int, status: str, **fields: object) -> Any:
        return service.update("run_update", id=fresh, status=status, order=order, **fields)

    report(1, "Running")
    report(3, "Running", metadata={"by": "ann"})
    late = report(2, "Sleeping", metadata={"by": "bob"})

    run = service.run(fresh)
    assert (late["updated"], late["ignored"]) == (False, True)
    assert (run["status"], run["metadata"]) == ("Running", '{"by":"ann"}')
    assert report(4, "Completed")["updated"] is True
    assert report(5, "Running", restart=True)["updated"] is True
    assert report(4, "Completed")["ignored"] is True
    assert service.run(fresh)["status"] == "Running"


def test_what_a_restart_has_overtaken_changes_no_step(service: Api, fresh: str) -> None:
    place = {"workflow_run_id": fresh, "step_name": "charge", "step_index": 1}
    service.update("step_update", status="Running", order=1, **place)
    service.update("run_update", id=fresh, status="Errored", order=2)
    service.update("run_update", id=fresh, restart=True, order=4)

    late = service.update("step_update", status="Failed", order=3, **place)

    assert late["ignored"] is True
    assert service.run(fresh)["steps"][0]["status"] == "Pending"


def test_callers_without_numbers_work_as_before(service: Api, fresh: str) -> None:
    place = {"workflow_run_id": fresh, "step_name": "charge", "step_index": 1}
    service.update("step_update", status="Running", order=10, **place)
    service.update("step_update", status="Retrying", **place)

    assert service.update("step_update", status="Running", **place)["attempt"] == 2
    assert service.update("step_update", status="Completed", **place)["updated"] is True


def test_the_number_is_not_shown(service: Api, fresh: str) -> None:
    service.update(
        "step_update",
        workflow_run_id=fresh,
        step_name="one",
        step_index=1,
        order=1,
        status="Running",
    )

    run = service.run(fresh)
    assert "last_order" not in run
    assert "last_order" not in run["steps"][0]


@pytest.mark.parametrize("order", [-1, 1.5, "soon", 2**60])
def test_an_invalid_number_is_refused(service: Api, fresh: str, order: object) -> None:
    update = {"id": fresh, "status": "Running", "order": order}

    answer = service.post("/api/workflows/update", {"type": "run_update", "run_update": update})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["path"] == "run_update.order"
