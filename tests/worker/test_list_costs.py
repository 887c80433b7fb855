"""The database costs of reading: rows and statements, among a hundred thousand runs."""

import re
from typing import Any

import httpx
import pytest

from tests.worker.worker_calls import Api, Probe

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("list-costs")]

LIST = "/service/list-workflows"
MANY = 100_000
LIMIT = 10


@pytest.fixture(scope="module")
def many(clients: dict[str, httpx.Client]) -> str:
    """Insert finished runs of one type, a minute apart, without the API; few have failed."""
    probe, name = Probe(clients["probe"]), "many"
    probe.sql(
        """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
        INSERT INTO workflow (id, name, ref_id, created_at)
        SELECT 1000000 + i, ?, 'w' || i, strftime('%Y-%m-%dT%H:%M:%fZ', '2001-01-01',
          i || ' minutes') FROM n WHERE true ON CONFLICT DO NOTHING""",
        MANY // 10,
        name,
    )
    probe.sql(
        """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
        INSERT INTO workflow_runs
          (id, workflow_id, workflow_name, status, ref_id, ref_type, metadata, created_at,
           completed_at)
        SELECT 'many-' || i, 1000001, ?, iif(i % 5000 = 0, 'Errored', 'Completed'),
          'many-r' || (i % 4), 'many-t' || (i % 4), '{"n":' || i || '}',
          strftime('%Y-%m-%dT%H:%M:%fZ', '2001-01-01', i || ' minutes'), '2020-01-01T00:00:00.000Z'
        FROM n WHERE true ON CONFLICT DO NOTHING""",
        MANY,
        name,
    )
    return name


class Meter:
    """Call the service that reports the costs of its answers."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def __call__(self, body: object, path: str = LIST) -> tuple[dict[str, Any], int]:
        """Return the answer, and the number of rows read for it."""
        answer = self.api.post(path, body)
        assert answer.status_code == 200, answer.text
        cost = re.fullmatch(
            r"statements=(\d+) rows_read=(\d+) rows_written=0", answer.headers["X-Flowflare-D1"]
        )
        assert cost, answer.headers
        assert int(cost[1]) <= 3
        return answer.json(), int(cost[2])


@pytest.fixture
def meter(clients: dict[str, httpx.Client]) -> Meter:
    return Meter(Api(clients["debugging"]))


SINGLE = [
    {},
    {"workflowType": "many"},
    {"status": "Completed"},
    {"status": "Errored"},
    {"ref_id": "many-r1"},
    {"ref_type": "many-t1"},
    {"created_after": "2001-01-10"},
    {"created_before": "2001-02-01"},
    {"created_after": "2001-01-10", "created_before": "2001-02-01"},
    {"workflowType": "many", "created_before": "2001-02-01"},
]


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("filters", SINGLE)
def test_a_page_reads_no_more_rows_than_it_shows(meter: Meter, filters: dict[str, object]) -> None:
    first, rows = meter(filters | {"limit": LIMIT})
    assert len(first["workflows"]) == LIMIT
    assert rows <= LIMIT + 3
    # The next page costs the same at any position in the list.
    _, rows = meter(filters | {"limit": LIMIT, "cursor": first["next_cursor"]})
    assert rows <= LIMIT + 3


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"workflowType": "many"},
        {"created_before": "2001-01-03"},
        {"workflowType": "many", "created_after": "2001-01-03"},
    ],
)
def test_a_page_of_workflows_costs_as_little(meter: Meter, filters: dict[str, object]) -> None:
    page, rows = meter(filters | {"view": "workflows", "limit": LIMIT})

    assert len(page["workflows"]) == LIMIT
    assert rows <= LIMIT + 3


COMBINED = [
    {"workflowType": "many", "status": "Errored"},
    {"ref_id": "many-r0", "ref_type": "many-t1"},
    {"status": "Errored", "created_before": "2001-02-01", "ref_type": "many-t0"},
    {"metadata": {"n": 1}},
    {"workflowType": "many", "metadata": {"n": 1, "m": "x"}},
    {"stuck": True, "workflowType": "many"},
    {"view": "workflows", "status": "Sleeping"},
    {"view": "workflows", "workflowType": "many", "ref_id": "w1"},
]


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("filters", COMBINED)
def test_combinations_read_two_thousand_rows_at_most(
    meter: Meter, filters: dict[str, object]
) -> None:
    page, rows = meter(filters | {"limit": 100})

    assert rows <= 2000
    assert page["has_more"] is (page["next_cursor"] is not None)


@pytest.mark.usefixtures("many")
def test_short_pages_lead_to_every_match(meter: Meter) -> None:
    wanted = {"workflowType": "many", "status": "Errored", "created_before": "2001-02-01"}
    found: list[str] = []
    cursor, pages = None, 0
    while True:
        page, rows = meter(wanted | {"limit": 2, "cursor": cursor})
        found += [run["id"] for run in page["workflows"]]
        cursor, pages = page["next_cursor"], pages + 1
        assert rows <= 2000
        if cursor is None:
            break

    assert found == [f"many-{n}" for n in range(40_000, 0, -5000)]
    assert pages > 40_000 / 2000


@pytest.mark.usefixtures("many")
def test_reading_stops_when_a_page_is_full(meter: Meter) -> None:
    page, rows = meter({"workflowType": "many", "ref_type": "many-t1", "limit": LIMIT})

    assert len(page["workflows"]) == LIMIT
    assert rows < 100


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("include", [["steps"], ["retries"], ["steps", "retries"]])
@pytest.mark.parametrize("status", [None, "Completed"])
def test_steps_and_retries_are_two_statements_more(
    meter: Meter, include: list[str], status: str | None
) -> None:
    page, rows = meter(
        {"workflowType": "many", "status": status, "limit": LIMIT, "include": include}
    )

    assert all(run["steps"] == [] for run in page["workflows"])
    assert rows < 200


@pytest.mark.usefixtures("many")
def test_one_run_costs_its_own_rows(meter: Meter) -> None:
    run, rows = meter({"workflowId": "many-7"}, "/service/get-workflow")
    assert (run["workflow"]["id"], rows <= 5) == ("many-7", True)


def test_only_a_debugging_service_reports_its_costs(service: Api) -> None:
    assert "X-Flowflare-D1" not in service.post(LIST, {}).headers
