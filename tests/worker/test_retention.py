"""Retention: what a cron trigger deletes, and what it keeps."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.waiting import stays_true, wait_until
from tests.worker.worker_calls import Probe, Workers

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("retention")]


def ago(days: float) -> str:
    moment = datetime.now(UTC) - timedelta(days=days)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Retained:
    """A database for these tests alone, because the cron deletes old runs."""

    def __init__(self, probe: Probe) -> None:
        self.probe = probe

    def sql(self, sql: str, *values: object) -> list[dict[str, Any]]:
        return self.probe.sql(sql, *values, database="RETAINED")

    def run(self, name: str, status: str, created: float, ended: float | None) -> None:
        """Insert a run with a step and a retry, of a workflow with the same name.

        Times are days ago.
        """
        self.sql("INSERT INTO workflow (name) VALUES (?) ON CONFLICT DO NOTHING", name)
        self.sql(
            """INSERT INTO workflow_runs (id, workflow_id, workflow_name, status, created_at,
               updated_at, completed_at) SELECT ?1, id, name, ?3, ?4, ?5, ?6 FROM workflow
               WHERE name = ?2""",
            f"{name}-{created}",
            name,
            status,
            ago(created),
            ago(created if ended is None else ended),
            None if ended is None else ago(ended),
        )
        self.sql(
            """INSERT INTO workflow_steps (workflow_run_id, step_name, step_index)
               VALUES (?, 'one', 1)""",
            f"{name}-{created}",
        )
        self.sql(
            """INSERT INTO workflow_step_retries (workflow_step_id, retry_count)
               SELECT max(id), 1 FROM workflow_steps"""
        )

    def expire(self, workers: Workers) -> None:
        """Run the cron trigger and wait until it is done, with running runs last."""
        last = f"last-{uuid.uuid4().hex}"
        self.run(last, "Running", 1000, None)
        workers.schedule("retaining")
        # The event is answered when it has started, not when it is done.
        wait_until(lambda: self.list_left(last) == [])

    def list_left(self, name: str) -> list[str]:
        rows = self.sql("SELECT id FROM workflow_runs WHERE workflow_name = ? ORDER BY id", name)
        return [row["id"] for row in rows]

    def count(self, table: str) -> int:
        return self.sql(f"SELECT count(*) AS n FROM {table}")[0]["n"]


@pytest.fixture
def database(probe: Probe) -> Retained:
    return Retained(probe)


@pytest.mark.parametrize(
    ("run", "gone"),
    [
        (("Completed", 40, 31), True),
        (("Completed", 40, 29), False),
        (("Completed", 29, 29), False),
        (("Errored", 70, 61), True),
        (("Errored", 70, 40), False),
        (("Running", 100, None), True),
        (("Running", 80, None), False),
        (("Sleeping", 1000, None), False),
    ],
)
def test_the_end_of_a_run_decides_whether_it_is_kept(
    workers: Workers,
    database: Retained,
    fresh: str,
    run: tuple[str, float, float | None],
    gone: bool,
) -> None:
    database.run(fresh, *run)

    database.expire(workers)

    assert (database.list_left(fresh) == []) is gone
    workflows = database.sql("SELECT id FROM workflow WHERE name = ?", fresh)
    assert (workflows == []) is gone


def test_a_workflow_stays_with_what_runs_it_has_left(
    workers: Workers, database: Retained, fresh: str
) -> None:
    for created in (100, 50, 1):
        database.run(fresh, "Completed", created, created)

    database.expire(workers)

    assert database.list_left(fresh) == [f"{fresh}-1"]
    assert database.sql("SELECT 1 FROM workflow WHERE name = ?", fresh)


def test_nothing_of_a_deleted_run_is_left(workers: Workers, database: Retained, fresh: str) -> None:
    tables = ("workflow_runs", "workflow_steps", "workflow_step_retries")
    before = [database.count(table) for table in tables]
    database.run(fresh, "Completed", 40, 40)

    database.expire(workers)

    assert [database.count(table) for table in tables] == before


def test_one_call_deletes_a_bounded_number_and_the_next_continues(
    workers: Workers, database: Retained, fresh: str
) -> None:
    database.run(fresh, "Completed", 1, 1)
    database.sql(
        """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
        INSERT INTO workflow_runs (id, workflow_id, workflow_name, status, created_at, completed_at)
        SELECT ?1 || i, (SELECT id FROM workflow WHERE name = ?1), ?1, 'Completed',
          '2020-01-01T00:00:00.000Z', '2020-01-01T00:00:00.000Z' FROM n""",
        fresh,
    )

    workers.schedule("retaining")
    wait_until(lambda: len(database.list_left(fresh)) <= 1501 - 1000)
    assert stays_true(lambda: len(database.list_left(fresh)) == 1501 - 1000, seconds=0.2)
    workers.schedule("retaining")

    wait_until(lambda: database.list_left(fresh) == [f"{fresh}-1"])


def test_many_steps_of_one_run_are_deleted_over_rounds(
    workers: Workers, database: Retained, fresh: str
) -> None:
    database.run(fresh, "Completed", 40, 40)
    database.sql(
        """WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)
        INSERT INTO workflow_steps (workflow_run_id, step_name, step_index)
        SELECT ?, 'many', i FROM n""",
        f"{fresh}-40",
    )

    workers.schedule("retaining")

    wait_until(lambda: database.list_left(fresh) == [])


def test_without_retention_all_is_kept(workers: Workers, probe: Probe, fresh: str) -> None:
    probe.sql("INSERT INTO workflow (name) VALUES (?)", fresh)
    probe.sql(
        """INSERT INTO workflow_runs (id, workflow_id, workflow_name, status, created_at,
           completed_at) SELECT ?1, id, ?1, 'Completed', '2002-01-01T00:00:00.000Z',
           '2002-01-01T00:00:00.000Z' FROM workflow WHERE name = ?1""",
        fresh,
    )

    workers.schedule("service")

    assert probe.sql("SELECT id FROM workflow_runs WHERE id = ?", fresh)
