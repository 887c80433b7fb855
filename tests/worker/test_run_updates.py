"""Updates of runs: the state machine, the workflow's copy of it, and unregistered runs."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.worker.worker_calls import Api, Probe

pytestmark = pytest.mark.workerd


def test_a_run_sleeps_wakes_and_completes(service: Api, probe: Probe, fresh: str) -> None:
    service.start(fresh, runId=fresh)

    service.update(
        "run_update", id=fresh, status="Sleeping", sleep_until="2027-01-01T01:00:00+01:00"
    )
    asleep = service.run(fresh)
    service.update("run_update", id=fresh, status="Running")
    awake = service.run(fresh)
    done = service.update("run_update", id=fresh, status="Completed", output_result={"n": 1})
    completed = service.run(fresh)

    assert (asleep["status"], asleep["sleep_until"]) == ("Sleeping", "2027-01-01T00:00:00.000Z")
    assert (awake["status"], awake["sleep_until"]) == ("Running", None)
    assert awake["completed_at"] is None
    assert done == {"updated": True, "id": fresh, "status": "Completed"}
    assert completed["output_result"] == '{"n":1}'
    assert completed["completed_at"] == completed["updated_at"] > completed["created_at"]
    [workflow] = probe.sql("SELECT * FROM workflow WHERE name = ?", fresh)
    copied = ("status", "output_result", "completed_at", "updated_at")
    assert [workflow[name] for name in copied] == [completed[name] for name in copied]


@pytest.mark.parametrize("late", ["Running", "Sleeping", "Errored"])
def test_an_update_after_the_end_changes_nothing(service: Api, fresh: str, late: str) -> None:
    service.start(fresh, runId=fresh)
    service.update("run_update", id=fresh, status="Completed", output_result="kept")
    before = service.run(fresh)

    result = service.update("run_update", id=fresh, status=late, output_result="lost")

    assert result == {"updated": False, "ignored": True, "id": fresh, "status": "Completed"}
    assert service.run(fresh) == before


def test_a_repeated_end_keeps_its_time(service: Api, fresh: str) -> None:
    service.start(fresh, runId=fresh)
    service.update("run_update", id=fresh, status="Errored")
    ended = service.run(fresh)["completed_at"]

    repeated = service.update("run_update", id=fresh, status="Errored", metadata={"note": 1})

    assert repeated["updated"] is True
    assert service.run(fresh)["completed_at"] == ended


def test_a_restart_opens_a_finished_run(service: Api, fresh: str) -> None:
    service.start(fresh, runId=fresh)
    service.update("run_update", id=fresh, status="Errored", output_result="broken")

    service.update("run_update", id=fresh, restart=True)

    run = service.run(fresh)
    assert (run["status"], run["completed_at"], run["output_result"]) == ("Running", None, None)


def test_an_older_run_never_changes_the_workflow(service: Api, probe: Probe, fresh: str) -> None:
    older = service.start(fresh)["runId"]
    newer = service.start(fresh)["runId"]

    service.update("run_update", id=older, status="Errored", output_result="old")

    [workflow] = probe.sql("SELECT * FROM workflow WHERE name = ?", fresh)
    assert service.run(older)["status"] == "Errored"
    assert service.run(newer)["status"] == workflow["status"] == "Running"
    assert workflow["output_result"] is None


def test_an_unknown_run_is_registered_and_counted(service: Api, probe: Probe, fresh: str) -> None:
    fields = {"workflow_name": fresh, "ref_id": "7", "status": "Running", "input_params": {"n": 1}}
    with ThreadPoolExecutor(10) as pool:
        results = list(
            pool.map(
                lambda n: service.update("run_update", id=f"{fresh}-{n % 5}", **fields), range(10)
            )
        )

    assert sorted("inserted" in result for result in results) == [False] * 5 + [True] * 5
    [workflow] = probe.sql("SELECT * FROM workflow WHERE name = ?", fresh)
    assert workflow["runs_count"] == 5
    assert service.run(f"{fresh}-0")["ref_id"] == "7"
    assert service.run(f"{fresh}-0")["input_params"] == '{"n":1}'


def test_an_unknown_run_joins_the_workflow_it_names(service: Api, fresh: str) -> None:
    started = service.start(fresh, ref_id="7", ref_type="order")

    service.update("run_update", id=fresh, workflow_id=started["workflow_id"], status="Running")
    service.update("run_update", id=f"{fresh}-lost", workflow_id=2**40, status="Running")

    run = service.run(fresh)
    assert run["workflow_id"] == started["workflow_id"]
    assert (run["workflow_name"], run["ref_id"], run["ref_type"]) == (fresh, "7", "order")
    assert service.run(f"{fresh}-lost")["workflow_name"] == "unregistered"


def test_the_first_params_are_kept(service: Api, fresh: str) -> None:
    service.start(fresh, runId=fresh, params={"n": 1})

    service.update("run_update", id=fresh, input_params={"n": 2})

    assert service.run(fresh)["input_params"] == '{"n":1}'


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"status": "Pending"}, "Running"),
        ({"native_status": "queued"}, "Running"),
        ({"native_status": "waitingForPause"}, "Sleeping"),
        ({"native_status": "terminated"}, "Errored"),
        ({"native_status": "complete"}, "Completed"),
    ],
)
def test_cloudflares_states_read_as_ours(
    service: Api, fresh: str, given: dict[str, str], status: str
) -> None:
    service.update("run_update", id=fresh, **given)

    run = service.run(fresh)
    assert run["status"] == status
    assert run["native_status"] == given.get("native_status", "queued")


@pytest.mark.parametrize("alias", ["workflow_instance_id", "workflowId", "runId"])
def test_the_run_has_other_names(service: Api, fresh: str, alias: str) -> None:
    assert service.update("run_update", **{alias: fresh, "status": "Running"})["id"] == fresh


def test_json_columns_take_text_or_values(service: Api, fresh: str) -> None:
    service.update("run_update", id=fresh, output_result="as it is", metadata=[1, {"two": None}])

    run = service.run(fresh)
    assert (run["output_result"], run["metadata"]) == ("as it is", '[1,{"two":null}]')


def test_many_updates_are_one_request(service: Api, fresh: str) -> None:
    updates = [
        {"type": "run_update", "run_update": {"id": fresh, "status": "Running"}},
        {"type": "step_update", "step_update": step(fresh, status="Completed")},
        {"type": "run_update", "run_update": {"id": fresh, "status": "Completed"}},
        {"type": "run_update", "run_update": {"id": fresh, "status": "Running"}},
        {"type": "step_update", "step_update": {"id": 2**40, "status": "Running"}},
    ]

    results = service.ok("/api/workflows/update", {"updates": updates})["results"]

    assert [result.get("ignored", False) for result in results] == [
        False,
        False,
        False,
        True,
        False,
    ]
    assert results[4] == {"updated": False, "error": "There is no such step"}
    assert service.run(fresh)["status"] == "Completed"


def step(run: str, **fields: object) -> dict[str, object]:
    return {"workflow_run_id": run, "step_name": "one", "step_index": 1} | fields


def test_nothing_of_a_bad_request_is_written(service: Api, fresh: str) -> None:
    updates = [
        {"type": "run_update", "run_update": {"id": fresh}},
        {"type": "run_update", "run_update": {"id": fresh, "status": "Banana"}},
    ]

    answer = service.post("/api/workflows/update", {"updates": updates})

    assert answer.json()["errors"] == [
        {
            "path": "updates.1.run_update.status",
            "message": "updates.1.run_update.status must be one of "
            "Running, Sleeping, Completed, Errored, Pending",
        }
    ]
    assert service.post("/service/get-workflow", {"workflowId": fresh}).status_code == 404


def test_keys_of_the_json_are_not_columns(service: Api, probe: Probe, fresh: str) -> None:
    service.start(fresh, runId=fresh)
    attack = "status = 'Pwned', metadata = (select group_concat(name) from sqlite_master) --"

    service.update(
        "run_update", **{"id": fresh, attack: "x", "created_at": "1970", "workflow_id": 1}
    )

    run = service.run(fresh)
    assert (run["status"], run["metadata"]) == ("Running", None)
    assert run["created_at"] > "2026"
    assert probe.sql("SELECT count(*) AS n FROM workflow_runs WHERE status = 'Pwned'") == [{"n": 0}]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": "drop_table"},
        {"type": "run_update"},
        {"type": "run_update", "run_update": []},
        {"type": "run_update", "run_update": {"status": "Running"}},
        {"type": "run_update", "run_update": {"id": "a b"}},
        {"type": "run_update", "run_update": {"id": "a", "sleep_until": "soon"}},
        {"type": "run_update", "run_update": {"id": "a", "sleep_until": 1e300}},
        {"type": "run_update", "run_update": {"id": "a", "restart": "yes"}},
        {"type": "run_update", "run_update": {"id": "a", "native_status": "asleep"}},
        {"type": "__proto__", "__proto__": {"id": "a"}},
        {"updates": []},
        {"updates": {}},
        {"updates": [1]},
        {"updates": [{"type": "run_update", "run_update": {"id": "a"}}] * 101},
        "text",
    ],
)
def test_a_bad_update_is_refused(service: Api, body: object) -> None:
    answer = service.post("/api/workflows/update", body)

    assert answer.status_code == 400
    assert answer.json()["errors"]


@pytest.fixture
def plan(probe: Probe) -> Callable[..., str]:
    """How SQLite would carry a statement out."""

    def explain(sql: str, *values: object) -> str:
        return str(probe.sql(f"EXPLAIN QUERY PLAN {sql}", *values))

    return explain


def test_absent_references_are_unique_too(probe: Probe, plan: Callable[..., str]) -> None:
    found = plan(
        "SELECT 1 FROM workflow WHERE name = ? AND coalesce(ref_id, '') = coalesce(?, '') "
        "AND coalesce(ref_type, '') = coalesce(?, '')",
        "x",
        "y",
        "z",
    )

    assert "workflow_identity" in found
