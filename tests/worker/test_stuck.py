"""Stuck runs: marked in every answer, and found by a filter."""

import httpx
import pytest

from tests.worker.worker_calls import Api, Probe

pytestmark = pytest.mark.workerd

LIST = "/service/list-workflows"
PAST, FUTURE = "2020-01-01T00:00:00.000Z", "2999-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("fields", "stuck"),
    [
        ({"status": "Running"}, None),
        ({"status": "Sleeping"}, None),
        ({"status": "Sleeping", "sleep_until": FUTURE}, None),
        ({"status": "Sleeping", "sleep_until": PAST}, "overslept"),
        ({"status": "Completed"}, None),
    ],
)
def test_a_run_beyond_its_sleep_is_stuck(
    service: Api, fresh: str, fields: dict[str, str], stuck: str | None
) -> None:
    service.update("run_update", id=fresh, workflow_name=fresh, **fields)

    [listed] = service.ok(LIST, {"workflowType": fresh})["workflows"]
    found = service.ok(LIST, {"workflowType": fresh, "stuck": True})["workflows"]
    queried = service.ok("/api/workflows/query", {"workflowId": fresh})["data"]

    assert service.run(fresh)["stuck"] == listed["stuck"] == queried[0]["stuck"] == stuck
    assert [run["id"] for run in found] == ([fresh] if stuck else [])


@pytest.mark.parametrize(
    ("minutes", "stuck"),
    [(4, {"service": None, "debugging": None}), (6, {"service": None, "debugging": "silent"}),
     (61, {"service": "silent", "debugging": "silent"})],
)  # fmt: skip
def test_a_run_without_a_sign_of_life_is_stuck(
    clients: dict[str, httpx.Client],
    service: Api,
    probe: Probe,
    fresh: str,
    minutes: int,
    stuck: dict[str, str | None],
) -> None:
    """The service's own default is an hour; the other one has `stuckAfterMinutes: 5`."""
    service.start(fresh, runId=fresh)
    probe.sql(
        """UPDATE workflow_runs SET updated_at =
           strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-' || ? || ' minutes') WHERE id = ?""",
        minutes,
        fresh,
    )

    for name, expected in stuck.items():
        api = Api(clients[name])
        found = api.ok(LIST, {"stuck": True, "workflowType": fresh})["workflows"]
        assert api.run(fresh)["stuck"] == expected
        assert [run["stuck"] for run in found] == ([expected] if expected else [])


def test_a_sign_of_life_frees_it(service: Api, probe: Probe, fresh: str) -> None:
    service.start(fresh, runId=fresh)
    probe.sql("UPDATE workflow_runs SET updated_at = ? WHERE id = ?", PAST, fresh)
    assert service.run(fresh)["stuck"] == "silent"

    service.update("step_update", workflow_run_id=fresh, step_name="one", step_index=1)

    assert service.run(fresh)["stuck"] is None
