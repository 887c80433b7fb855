"""With `flowflare:retentionDays`, the embedded Cloudflare deletes old runs when the cron is due."""

import pytest

from tests.e2e.conftest import Project

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]
INSERT = """INSERT INTO workflow_runs (id, workflow_id, workflow_name, status, created_at,
updated_at, completed_at) SELECT ?1, id, name, 'Completed', ?2, ?2, ?2
FROM workflow WHERE name = 'w'"""


def test_the_cron_of_the_service_deletes_old_runs(project: Project) -> None:
    project.configure("flowflare:retentionDays: 30")
    project.open_stack().up()
    (database,) = project.account.get("/d1/database")

    def query(sql: str, *params: str) -> list[dict[str, str]]:
        body = {"sql": sql, "params": list(params)}
        answer = project.account.post(f"/d1/database/{database['uuid']}/query", body)
        rows: list[dict[str, str]] = answer[0]["results"]
        return rows

    query("INSERT INTO workflow (name) VALUES ('w')")
    query(INSERT, "old", "2026-01-01T00:00:00.000Z")
    query(INSERT, "new", "2099-01-01T00:00:00.000Z")
    # 2027-01-01T00:01:00Z, so the service's cron, every ten minutes, was due a minute ago.
    (ran,) = project.account.set_time(1_798_761_660_000)
    assert (ran["cron"], ran["outcome"]) == ("*/10 * * * *", "ok")
    assert query("SELECT id FROM workflow_runs") == [{"id": "new"}]
