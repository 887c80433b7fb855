"""Tickets: a browser watches without a key, and only what its ticket allows."""

import json
import time
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.worker.feed_calls import Watch, heard, heard_of, tell
from tests.worker.worker_calls import KEY, Api, Probe

pytestmark = pytest.mark.workerd

TICKET = "/api/ws-ticket"
ORIGIN = "https://app.example.com"


def watch_with_ticket(watch: Watch, ticket: dict[str, Any], **options: Any) -> Any:
    """Watch as a browser does: no key, an origin, the ticket beside the subprotocol."""
    return watch(key="", subprotocols=ticket["protocols"], origin=ORIGIN, **options)


def refuse_status(watch: Watch, **options: Any) -> int:
    with pytest.raises(InvalidStatus) as error:
        watch(key="", **options)
    return error.value.response.status_code


def test_a_ticket_opens_the_feed(service: Api, watch: Watch) -> None:
    ticket = service.ok(TICKET, {})

    socket = watch_with_ticket(watch, ticket)

    assert heard(socket)["type"] == "initial_data"
    # The ticket is not returned to the browser.
    assert socket.subprotocol == "flowflare.v1"
    assert heard(watch(key="", query={"ticket": ticket["ticket"]}))["type"] == "initial_data"


def test_a_ticket_needs_the_key(service: Api) -> None:
    assert service.client.post(TICKET, json={}).status_code == 401
    assert service.client.post(TICKET, json={}, headers={"X-API-Key": "x"}).status_code == 401


def test_a_ticket_of_a_listed_origin_only(service: Api, watch: Watch) -> None:
    ticket = service.ok(TICKET, {})

    protocols = ticket["protocols"]
    assert refuse_status(watch, subprotocols=protocols, origin="https://evil.example") == 403


def test_a_ticket_ends(service: Api, watch: Watch) -> None:
    ticket = service.ok(TICKET, {"expires_in": 1})
    time.sleep(1.1)

    assert refuse_status(watch, subprotocols=ticket["protocols"]) == 401


@pytest.mark.parametrize(
    "body",
    [
        {"expires_in": 61},
        {"expires_in": 0},
        {"expires_in": "soon"},
        {"filters": []},
        {"filters": {"workflowId": "a b"}},
        [],
    ],
)
def test_a_bad_request_gets_no_ticket(service: Api, body: object) -> None:
    answer = service.post(TICKET, body)

    assert answer.status_code == 400
    assert "ticket" not in answer.json()


def tamper(ticket: str) -> list[str]:
    payload, signature = ticket.split(".")
    flipped = "A" if payload[8] != "A" else "B"
    return [
        f"{payload[:8]}{flipped}{payload[9:]}.{signature}",
        f"{payload}.{signature[:-4]}AAAA",
        f"{payload}.",
        f".{signature}",
        payload,
        f"{ticket}.{signature}",
        "x" * 9000,
        "",
        "%",
        KEY,
    ]


def test_a_ticket_that_was_tampered_with_opens_nothing(service: Api, watch: Watch) -> None:
    ticket = service.ok(TICKET, {"filters": {"workflowId": "one"}})["ticket"]

    for wrong in tamper(ticket):
        assert refuse_status(watch, query={"ticket": wrong}) == 401, wrong
    # A given ticket is checked even where no key is required.
    assert refuse_status(watch, worker="open-api", query={"ticket": "x.y"}) == 401


def test_a_ticket_is_of_one_key_and_its_service(
    clients: dict[str, httpx.Client], watch: Watch, service: Api
) -> None:
    ticket = service.ok(TICKET, {})["ticket"]

    assert refuse_status(watch, worker="keyless", query={"ticket": ticket}) == 401
    keyless = Api(clients["keyless"]).post(TICKET, {})
    assert keyless.status_code == 401


def test_a_ticket_outlives_every_step_of_a_rotation(
    clients: dict[str, httpx.Client], watch: Watch, service: Api
) -> None:
    # `service` uses the first key and accepts the second; `rotated` is one step further.
    before = service.ok(TICKET, {})["ticket"]
    after = Api(clients["rotated"]).ok(TICKET, {})["ticket"]

    assert heard(watch("rotated", key="", query={"ticket": before}))["type"] == "initial_data"
    # Cloudflare may still run the previous step in some places.
    assert heard(watch("service", key="", query={"ticket": after}))["type"] == "initial_data"


def test_a_ticket_confines_to_its_filters(service: Api, watch: Watch, fresh: str) -> None:
    service.start(fresh, runId=f"{fresh}-1", ref_id="1")
    service.start(f"{fresh}-other", runId=f"{fresh}-2")
    ticket = service.ok(TICKET, {"filters": {"workflowType": fresh}})

    socket = watch_with_ticket(watch, ticket)

    assert [run["id"] for run in heard(socket)["data"]] == [f"{fresh}-1"]
    for query in ({"workflowId": f"{fresh}-2"}, {"workflowType": f"{fresh}-other"}, {}):
        tell(socket, "query", **query)
        found = heard_of(socket, "query_result")["data"]
        assert {run["id"] for run in found} <= {f"{fresh}-1"}
    tell(socket, "query", view="workflows")
    assert {row["name"] for row in heard_of(socket, "query_result")["data"]} == {fresh}
    tell(socket, "subscribe", workflowType=f"{fresh}-other")
    assert "another workflowType" in heard_of(socket, "error")["error"]
    tell(socket, "subscribe", ref_id="1")
    assert heard_of(socket, "subscribed")["filters"] == {"workflowType": fresh, "ref_id": "1"}
    wider = {"workflowType": f"{fresh}-other"}
    assert refuse_status(watch, subprotocols=ticket["protocols"], query=wider) == 403


def test_a_ticket_for_one_run_shows_no_workflows(service: Api, watch: Watch, fresh: str) -> None:
    service.start(fresh, runId=fresh)
    service.start(fresh, runId=f"{fresh}-other")
    ticket = service.ok(TICKET, {"filters": {"workflowId": fresh}})
    socket = watch_with_ticket(watch, ticket)
    assert [run["id"] for run in heard(socket)["data"]] == [fresh]

    for query in ({"view": "workflows"}, {"workflowId": f"{fresh}-other"}, {"limit": 100}):
        socket.send(json.dumps({"type": "query", "params": query}))
        found = heard_of(socket, "query_result")["data"]
        assert {run["id"] for run in found} <= {fresh}


def test_what_a_browser_may_not_set_it_cannot(watch: Watch, service: Api, fresh: str) -> None:
    ticket = service.ok(TICKET, {"filters": {"workflowId": fresh}})["ticket"]

    assert heard(watch(key="", query={"ticket": ticket}))["filters"] == {"workflowId": fresh}
    assert refuse_status(watch, query={"ticket": ticket, "bound": "{}"}) == 400


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"filters": {"ref_id": ""}}, ["filters.ref_id"]),
        ({"filters": {"ref_id": None}}, ["filters.ref_id"]),
        ({"filters": {"ref_id": "7", "ref_type": None}}, ["filters.ref_type"]),
        ({"filters": {"refId": "7"}}, ["filters.refId"]),
        ({"filters": {"REF_ID": "7", "ref_type": "order"}}, ["filters.REF_ID"]),
        ({"filters": {"filters": {"ref_id": "7"}}}, ["filters.filters"]),
        ({"filters": {"status": "Running"}}, ["filters.status"]),
        ({"filters": {"__proto__": {"ref_id": "7"}}}, ["filters.__proto__"]),
        # What remains of {ref_id: undefined} in JSON.
        ({"filters": {}}, ["filters"]),
        ({"filters": None}, ["filters"]),
        ({"filters": ""}, ["filters"]),
        ({"filters": ["ref_id"]}, ["filters"]),
        ({"filter": {"ref_id": "7"}}, ["filter"]),
        ({"ref_id": "7"}, ["ref_id"]),
        ({"filters": {"ref_id": "7"}, "workflowType": "mail"}, ["workflowType"]),
        ({"filters": {"ref_id": "7"}, "expires_in": None}, ["expires_in"]),
        (
            {"since": 1, "filters": {"refId": "7", "ref_id": ""}, "expires_in": 99},
            ["since", "filters.refId", "filters.ref_id", "expires_in"],
        ),
    ],
)
def test_a_grant_that_would_be_wider_than_it_was_meant_is_refused_by_name(
    service: Api, body: object, named: list[str]
) -> None:
    answer = service.post(TICKET, body)

    assert answer.status_code == 400
    assert [error["path"] for error in answer.json()["errors"]] == named
    assert all(name in answer.json()["error"] for name in named)
    assert "ticket" not in answer.json()


def test_the_entrypoint_grants_no_more_than_the_service(probe: Probe, fresh: str) -> None:
    for filters in ({"ref_id": ""}, {"refId": fresh}, {}):
        answer = probe.call("rpc-fetch", path=TICKET, body={"filters": filters})
        assert (answer["status"], "ticket" in answer["body"]) == (400, False)
