"""Access: keys, origins, methods, media types and sizes; and what errors reveal."""

import json

import httpx
import pytest

from tests.worker.worker_calls import KEY, Api, Probe

pytestmark = pytest.mark.workerd

SERVICE_ROUTES = [
    "/service/start-workflow",
    "/service/get-workflow",
    "/service/list-workflows",
    "/service/get-workflows-by-ref",
]
API_ROUTES = ["/api/workflows/update", "/api/workflows/query", "/api/ws-ticket"]
ALLOWED = "https://app.example.com"


@pytest.mark.parametrize("path", SERVICE_ROUTES + API_ROUTES)
@pytest.mark.parametrize("key", ["", "wrong", KEY[:-1], f"{KEY}x", KEY.upper(), "ff_no_key"])
def test_every_route_needs_the_key(service: Api, path: str, key: str) -> None:
    answer = service.client.post(path, json={}, headers={"X-API-Key": key})

    assert answer.status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-Key": KEY},
        {"Authorization": f"Bearer {KEY}"},
        {"Authorization": f"bearer {KEY}"},
        {"X-API-Key": "ff_previous_key"},
        {"X-API-Key": "ff_second_key"},
        {"Authorization": "Bearer ff_tenth_key"},
    ],
)
def test_every_key_opens_in_either_header(service: Api, headers: dict[str, str]) -> None:
    answer = service.client.post("/service/list-workflows", json={}, headers=headers)

    assert answer.status_code == 200


def test_a_service_without_a_key_refuses_all_calls(clients: dict[str, httpx.Client]) -> None:
    for key in ("", "undefined", KEY):
        answer = clients["keyless"].post(
            "/service/list-workflows", json={}, headers={"X-API-Key": key}
        )
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_api_auth_off_opens_only_the_api(clients: dict[str, httpx.Client]) -> None:
    open_api = clients["open-api"]

    assert open_api.post("/api/workflows/query", json={}).status_code == 200
    assert open_api.post("/service/list-workflows", json={}).status_code == 401


def test_health_is_open(clients: dict[str, httpx.Client]) -> None:
    answer = clients["keyless"].get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"success": True, "status": "ok"})


@pytest.mark.parametrize(
    "path", ["/", "/api/workflows", "/api/workflowsfoo", "/service/", "/healthz/", "/constructor"]
)
def test_routes_are_exact(service: Api, path: str) -> None:
    assert service.post(path, {}).status_code == 404
    assert service.client.options(path).status_code == 404


def test_a_wrong_method_is_answered_with_the_right_one(service: Api) -> None:
    for path in SERVICE_ROUTES + API_ROUTES:
        answer = service.client.get(path, headers={"X-API-Key": KEY})
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert service.post("/healthz", {}).headers["Allow"] == "GET"


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_only_json_is_accepted(service: Api, media: str) -> None:
    headers = {"X-API-Key": KEY, "Content-Type": media}

    answer = service.client.post("/api/workflows/query", content="{}", headers=headers)

    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b"", 400),
        (b"\xff\xfe", 400),
        (b"[" * 65 + b"]" * 65, 400),
        (b'{"metadata":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001, 400),
        (b'{"workflowType": "' + b"[" * 100 + b'\\"]"}', 400),
        (b" " * (1024 * 1024 + 1), 413),
    ],
)
def test_a_hostile_body_is_refused(service: Api, content: bytes, status: int) -> None:
    headers = {"X-API-Key": KEY, "Content-Type": "application/json; charset=utf-8"}

    answer = service.client.post("/service/start-workflow", content=content, headers=headers)

    assert answer.status_code == status


def test_a_body_of_unknown_length_is_counted(service: Api) -> None:
    headers = {"X-API-Key": KEY, "Content-Type": "application/json"}
    chunks = (b" " * 65536 for _ in range(20))

    answer = service.client.post("/service/start-workflow", content=chunks, headers=headers)

    assert answer.status_code == 413


def test_an_error_is_a_problem_of_rfc_9457(service: Api) -> None:
    answer = service.post("/service/list-workflows", {"limit": 0, "status": "Banana"})

    problem = answer.json()
    assert problem["success"] is False
    assert problem["error"] == problem["detail"]
    assert (problem["title"], problem["status"]) == ("Invalid request", 400)
    assert problem["instance"].endswith(answer.headers["X-Request-Id"])
    assert [error["path"] for error in problem["errors"]] == ["status", "limit"]


def test_an_error_reveals_no_internal_details(service: Api, probe: Probe, fresh: str) -> None:
    probe.sql("ALTER TABLE workflow_steps RENAME COLUMN state TO gone")
    try:
        answer = service.post("/service/list-workflows", {"include": ["steps"]})
    finally:
        probe.sql("ALTER TABLE workflow_steps RENAME COLUMN gone TO state")

    assert answer.status_code == 500
    assert "state" not in answer.text
    assert "D1" not in answer.text
    assert "SQL" not in answer.text


def test_a_listed_origin_may_call(service: Api) -> None:
    answer = service.post("/api/workflows/query", {}, Origin=ALLOWED)
    asked = service.client.options("/api/workflows/query", headers={"Origin": ALLOWED})

    assert answer.headers["Access-Control-Allow-Origin"] == ALLOWED
    assert asked.status_code == 204
    assert asked.headers["Access-Control-Allow-Methods"] == "GET, POST, OPTIONS"
    assert "X-API-Key" in asked.headers["Access-Control-Allow-Headers"]
    assert asked.headers["Access-Control-Max-Age"] == "7200"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", f"{ALLOWED}.evil.example", "http://app.example.com", "null"]
)
def test_no_other_origin_may_call(service: Api, origin: str) -> None:
    answer = service.post("/api/workflows/query", {}, Origin=origin)
    asked = service.client.options("/api/workflows/query", headers={"Origin": origin})

    for headers in (answer.headers, asked.headers):
        assert headers["Vary"] == "Origin"
        assert not [name for name in headers if name.lower().startswith("access-control")]


def test_errors_carry_cors_and_service_routes_do_not(service: Api) -> None:
    refused = service.client.post("/api/workflows/query", json={}, headers={"Origin": ALLOWED})
    service_route = service.post("/service/list-workflows", {}, Origin=ALLOWED)

    assert refused.status_code == 401
    assert refused.headers["Access-Control-Allow-Origin"] == ALLOWED
    assert "Access-Control-Allow-Origin" not in service_route.headers
    assert service.client.options("/service/list-workflows").status_code == 405


def test_a_star_is_answered_as_a_star(clients: dict[str, httpx.Client]) -> None:
    answer = clients["open-api"].post(
        "/api/workflows/query", json={}, headers={"Origin": "https://any.example"}
    )

    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_answers_are_not_cached(service: Api) -> None:
    answer = service.post("/service/list-workflows", {})

    assert answer.headers["Cache-Control"] == "no-store"
    assert json.loads(answer.text)["success"] is True
