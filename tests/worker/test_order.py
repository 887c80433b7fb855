"""The example client from end to end: an order, its Workflow, and what the service recorded."""

import json
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from tests.support.waiting import PATIENCE, wait_until
from tests.worker.worker_calls import KEY, Api, Workers

pytestmark = pytest.mark.workerd


@pytest.fixture
def orders(clients: dict[str, httpx.Client]) -> httpx.Client:
    return clients["orders"]


def wait_until_completed(orders: httpx.Client, order_id: str) -> dict[str, Any]:
    return wait_until(
        lambda: orders.get(f"/orders/{order_id}").json(),
        lambda run: run["status"] in {"Completed", "Errored"},
    )


def told_states(frame: dict[str, Any], run: str) -> list[str]:
    """List the run's states in the frames of the feed."""
    events = [] if frame["type"] == "initial_data" else frame.get("batch", [frame["data"]])
    updates = [event["run_update"] for event in events if "run_update" in event]
    return [update["status"] for update in updates if update["id"] == run]


def test_an_order_is_processed_and_every_step_is_recorded(
    workers: Workers, orders: httpx.Client, service: Api, fresh: str
) -> None:
    url = workers.urls["service"].replace("http", "ws") + "/api/tracker-websocket"
    with connect(url, additional_headers={"X-API-Key": KEY}, proxy=None) as socket:
        items = [{"sku": "tea", "quantity": 2, "price": 450}]
        placed = orders.post("/orders", json={"order_id": fresh, "items": items})
        run = wait_until_completed(orders, fresh)
        states: list[str] = []
        while "Completed" not in states:
            states += told_states(json.loads(socket.recv(timeout=PATIENCE)), run["id"])

    assert placed.status_code == 202
    assert placed.json()["order_id"] == fresh
    assert placed.json()["workflowId"] == run["id"]
    assert placed.json()["status_url"].endswith(f"/orders/{fresh}")
    assert (run["status"], run["ref_id"], run["ref_type"]) == ("Completed", fresh, "order")
    result = {"reserved": 2, "charged": 900, "shipment": f"shipment-of-{fresh}"}
    assert json.loads(run["output_result"]) == result
    assert [(step["step_index"], step["step_name"], step["status"]) for step in run["steps"]] == [
        (1, "reserve-stock", "Completed"),
        (2, "charge-payment", "Completed"),
        (3, "ship-order", "Completed"),
    ]
    assert [len(step["retries"]) for step in run["steps"]] == [0, 1, 0]
    charge = run["steps"][1]
    assert charge["attempt"] == 2
    assert charge["retries"][0]["last_error"] == "The payment provider did not answer"
    assert states == ["Running", "Sleeping", "Running", "Completed"]
    assert service.run(run["id"]) == run


def test_an_order_that_cannot_be_filled_ends_errored(orders: httpx.Client, fresh: str) -> None:
    orders.post("/orders", json={"order_id": fresh, "items": [None]})

    run = wait_until_completed(orders, fresh)

    assert run["status"] == "Errored"
    assert "TypeError" in run["output_result"]


def test_an_order_may_be_sent_twice(orders: httpx.Client, fresh: str) -> None:
    headers = {"Idempotency-Key": fresh}
    body = {"order_id": fresh, "items": []}

    first, second = (orders.post("/orders", json=body, headers=headers).json() for _ in range(2))

    assert first == second


def test_bad_orders_are_refused(orders: httpx.Client) -> None:
    assert orders.post("/orders", content="{").status_code == 400
    assert orders.post("/orders", json={"order_id": "a/b"}).status_code == 400
    assert orders.post("/orders", json={"items": "tea"}).status_code == 400
    assert orders.get("/orders/nobody").status_code == 404
    assert orders.get("/elsewhere").status_code == 404
    assert "POST /orders" in orders.get("/").json()["endpoints"]
