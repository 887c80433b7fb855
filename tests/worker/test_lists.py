"""Reading runs and workflows: one, a page, all pages, by reference."""

from typing import Any

import pytest

from tests.worker.worker_calls import Api

pytestmark = pytest.mark.workerd

LIST = "/service/list-workflows"
BY_REF = "/service/get-workflows-by-ref"
QUERY = "/api/workflows/query"


def ids(answer: dict[str, Any], key: str = "workflows") -> list[str]:
    return [run["id"] for run in answer[key]]


@pytest.fixture
def five(service: Api, fresh: str) -> list[str]:
    """Create five runs of one type, newest first."""
    started = [
        service.start(fresh, runId=f"{fresh}-{n}", ref_id=f"{fresh}-{n % 2}", ref_type=fresh)
        for n in range(5)
    ]
    return [start["runId"] for start in reversed(started)]


def test_a_run_is_found_by_its_id(service: Api, five: list[str]) -> None:
    assert service.run(five[0])["runId"] == five[0]


def test_a_workflow_is_found_by_its_number(service: Api, fresh: str) -> None:
    started = service.start(fresh)

    for number in (started["workflow_id"], str(started["workflow_id"])):
        workflow = service.ok("/service/get-workflow", {"workflowId": number})["workflow"]
        assert workflow["name"] == fresh
        assert ids(workflow, "runs") == [started["runId"]]


@pytest.mark.parametrize("unknown", ["nobody", "99999999", "a b", "9" * 40])
def test_an_unknown_id_is_not_found(service: Api, unknown: str) -> None:
    answer = service.post("/service/get-workflow", {"workflowId": unknown})

    assert answer.status_code == 404
    assert answer.json()["workflow"] is None
    assert answer.json()["success"] is False


@pytest.mark.parametrize("body", [{}, {"workflowId": ""}, {"workflowId": None}, {"workflowId": {}}])
def test_a_get_needs_an_id(service: Api, body: object) -> None:
    assert service.post("/service/get-workflow", body).status_code == 400


def test_a_list_is_newest_first(service: Api, fresh: str, five: list[str]) -> None:
    page = service.ok(LIST, {"workflowType": fresh})

    assert ids(page) == five
    assert (page["limit"], page["has_more"], page["next_cursor"]) == (20, False, None)
    assert "steps" not in page["workflows"][0]


def test_cursors_visit_every_run_once(service: Api, fresh: str, five: list[str]) -> None:
    seen: list[str] = []
    cursor = None
    while True:
        page = service.ok(LIST, {"workflowType": fresh, "limit": 2, "cursor": cursor})
        seen += ids(page)
        # Runs that start during reading do not move the rest of the list.
        service.start(fresh)
        cursor = page["next_cursor"]
        if not page["has_more"]:
            break

    assert seen == five


def test_offsets_work_as_well(service: Api, fresh: str, five: list[str]) -> None:
    page = service.ok(LIST, {"workflowType": fresh, "limit": 2, "offset": 3})

    assert ids(page) == five[3:]


def test_filters_narrow_a_list(service: Api, fresh: str, five: list[str]) -> None:
    metadata = {"by": "ann", "vip": True}
    service.update("run_update", id=five[0], status="Completed", metadata=metadata)
    created = service.run(five[2])["created_at"]

    def list_ids(**filters: object) -> list[str]:
        return ids(service.ok(LIST, {"workflowType": fresh} | filters))

    assert list_ids(status="Completed") == five[:1]
    assert list_ids(ref_id=f"{fresh}-1") == [five[1], five[3]]
    assert list_ids(ref_type=fresh, status="Running") == five[1:]
    assert list_ids(created_after=created) == five[:2]
    assert list_ids(created_before=created) == five[3:]
    assert list_ids(metadata=metadata) == five[:1]
    assert list_ids(metadata={"by": "bob"}) == []


def test_metadata_that_is_not_json_breaks_no_filter(service: Api, fresh: str) -> None:
    for n, metadata in enumerate(["not json", "[1]", '{"by":"ann"}']):
        service.update("run_update", id=f"{fresh}-{n}", workflow_name=fresh, metadata=metadata)

    found = service.ok(LIST, {"workflowType": fresh, "metadata": {"by": "ann"}})

    assert ids(found) == [f"{fresh}-2"]


def test_runs_are_found_by_reference(service: Api, fresh: str, five: list[str]) -> None:
    both = service.ok(BY_REF, {"ref_id": f"{fresh}-0", "ref_type": fresh})
    by_id = service.ok(BY_REF, {"ref_id": f"{fresh}-0"})
    by_type = service.ok(BY_REF, {"ref_type": fresh, "limit": 1})

    assert ids(both) == ids(by_id) == five[::2]
    assert ids(by_type) == five[:1]


@pytest.mark.parametrize("body", [{}, {"ref_id": ""}, {"status": "Running"}])
def test_finding_by_reference_requires_a_reference(service: Api, body: object) -> None:
    answer = service.post(BY_REF, body)

    assert answer.status_code == 400
    assert answer.json()["error"] == "Either ref_id or ref_type must be provided"


def test_steps_and_retries_are_included_on_request(
    service: Api, fresh: str, five: list[str]
) -> None:
    place = {"workflow_run_id": five[1], "step_name": "one", "step_index": 1}
    service.update("step_update", status="Retrying", **place)
    service.update("retry_update", retry_count=1, **place)

    full = service.ok(LIST, {"workflowType": fresh, "limit": 2, "include": ["steps", "retries"]})
    steps = service.ok(LIST, {"workflowType": fresh, "include": ["steps"]})

    assert ids(full) == five[:2]
    assert full["workflows"][0]["steps"] == []
    assert full["workflows"][1]["steps"][0]["retries"][0]["retry_count"] == 1
    assert steps["workflows"][1]["steps"][0]["retries"] == []


def test_workflows_are_listed_as_well(service: Api, fresh: str, five: list[str]) -> None:
    page = service.ok(LIST, {"view": "workflows", "workflowType": fresh})

    assert [(row["ref_id"], row["runs_count"]) for row in page["workflows"]] == [
        (f"{fresh}-1", 2),
        (f"{fresh}-0", 3),
    ]


def test_a_query_answers_in_its_own_form(service: Api, fresh: str, five: list[str]) -> None:
    list_ids = service.ok(QUERY, {"workflowType": fresh, "limit": 2})
    one = service.ok(QUERY, {"workflowId": five[0]})
    none = service.ok(QUERY, {"workflowId": "nobody"})

    assert list_ids["type"] == "query_result"
    assert ids(list_ids, "data") == five[:2]
    assert list_ids["next_cursor"]
    assert one["data"][0]["steps"] == []
    assert none["data"] == []


def test_a_long_text_is_shown_by_its_size_in_lists(service: Api, fresh: str) -> None:
    service.start(fresh, runId=fresh, params={"text": "x" * 9000})

    [list_ids] = service.ok(LIST, {"workflowType": fresh})["workflows"]

    assert list_ids["input_params"] == '{"__truncated":true,"bytes":9011}'
    assert len(service.run(fresh)["input_params"]) == 9011


@pytest.mark.parametrize(("limit", "effective"), [(1, 1), (100, 100), (5000, 100), (None, 20)])
def test_the_limit_is_clamped(service: Api, limit: int | None, effective: int) -> None:
    assert service.ok(LIST, {"limit": limit})["limit"] == effective


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 0},
        {"limit": -1},
        {"limit": "ten"},
        {"limit": 1.5},
        {"offset": -1},
        {"offset": 10_001},
        {"stuck": "yes"},
        {"stuck": True, "view": "workflows"},
        {"status": "Banana"},
        {"cursor": "made up"},
        {"cursor": "W10"},
        {"created_after": "yesterday"},
        {"metadata": {"k": {"deep": 1}}},
        {"metadata": {str(n): 1 for n in range(11)}},
        {"view": "steps"},
        {"include": ["secrets"]},
        {"include": "steps"},
        {"ref_id": ["a"]},
        [],
    ],
)
def test_a_bad_list_is_refused(service: Api, body: object) -> None:
    for path in (LIST, QUERY):
        answer = service.post(path, body)
        assert answer.status_code == 400
        assert answer.json()["errors"]


@pytest.mark.parametrize("path", ["/service/list-workflows", "/api/workflows/query"])
def test_a_misspelt_filter_is_refused_by_name(service: Api, path: str) -> None:
    answer = service.post(path, {"workflow_type": "mail", "status": "Running"})

    assert answer.status_code == 400
    [fault] = answer.json()["errors"]
    assert fault["path"] == "workflow_type"
    assert "use workflowType, status" in fault["message"]


@pytest.mark.parametrize("day", ["2026-02-30", "2026-11-31T12:00:00Z", "2025-02-29"])
def test_a_day_that_is_not_in_the_calendar_is_refused(service: Api, day: str) -> None:
    answer = service.post("/service/list-workflows", {"created_after": day})

    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (
        400,
        "created_after must be a day of the calendar",
    )
