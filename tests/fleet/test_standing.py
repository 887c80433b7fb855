"""A deployed fleet: health checks, an unhealthy canary, suspension, retirement and destruction."""

import json
import sqlite3
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from flowflare.fleet.exports import exported_sql
from flowflare.fleet.rollout.health import Checker, Endpoints
from flowflare.fleet.tenants.model import Health
from flowflare.rollout.health import Patience
from tests.e2e.conftest import Project
from tests.e2e.embedded import Cloudflare
from tests.e2e.manual_account import open_manual_account
from tests.fleet.projects import HEALTH, FleetProject, make_fleet
from tests.support.embedded import open_embedded
from tests.support.waiting import PATIENCE

pytestmark = [pytest.mark.xdist_group("standing fleet"), pytest.mark.workerd]
LONG_AGO = "2020-01-01T00:00:00.000Z"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, cloudflare: Cloudflare) -> FleetProject:
    fleet = make_fleet(tmp_path_factory.mktemp("standing") / "fleet", cloudflare, 4)
    fleet.events("up", "--workers", "1")
    return fleet


@pytest.fixture(scope="module")
def first(fleet: FleetProject) -> Endpoints:
    return Endpoints.of(open_embedded(fleet.root, "t01-prod").outputs(show_secrets=True))


@pytest.fixture
def checking():
    with httpx.Client(timeout=PATIENCE) as http:

        def make(seconds: float = 20, **expected) -> Checker:
            return Checker(http, Health(**expected), Patience(seconds))

        yield make


Checking = Callable[..., Checker]


def test_a_healthy_tenant_passes_every_check(first: Endpoints, checking: Checking) -> None:
    expected = {"workflow": HEALTH["workflow"], "params": HEALTH["params"]}
    verdict = checking(**expected).check(first, LONG_AGO)
    assert verdict.healthy, verdict.found
    assert [sentence.partition(" in ")[0] for sentence in verdict.found[:4]] == [
        "the service accepts its key",
        "a request without a key is refused",
        "client orders answers",
        "a run of order-processing completed",
    ]


def test_a_suspended_tenant_has_nothing_to_check(checking: Checking) -> None:
    verdict = checking(workflow="order-processing").check(Endpoints.of({}), LONG_AGO)
    assert verdict.healthy


def test_a_wrong_key_is_not_healthy(first: Endpoints, checking: Checking) -> None:
    wrong = Endpoints(first.service_url, first.client_urls, "another-key")
    verdict = checking(0.3).check(wrong, LONG_AGO)
    assert not verdict.healthy
    assert "the service does not accept its key" in verdict.found[0]
    assert "401" in verdict.found[0]


def test_a_run_that_does_not_start_is_not_healthy(first: Endpoints, checking: Checking) -> None:
    verdict = checking(0.5, workflow="no-such-workflow").check(first, LONG_AGO)
    assert not verdict.healthy
    assert "no-such-workflow is Running after" in verdict.found[0]
    assert "params" in verdict.remedy


def test_a_run_that_fails_is_not_healthy(first: Endpoints, checking: Checking) -> None:
    """The Workflow cannot reserve items that are not an order's."""
    params = {"order_id": "health", "items": "none"}
    verdict = checking(workflow="order-processing", params=params).check(first, LONG_AGO)
    assert not verdict.healthy
    assert "of order-processing failed: " in verdict.found[0]
    assert verdict.remedy == "If the run's params are wrong, change them in health.params."


def test_the_error_rate_counts_runs_since_the_wave_began(
    first: Endpoints, checking: Checking
) -> None:
    """One of two runs failed, and the limit is a half; failed synthetic runs do not count."""
    post(first, "service/start-workflow", {"workflowType": "good", "runId": "good-1"})
    post(first, "service/start-workflow", {"workflowType": "bad", "runId": "bad-1"})
    for run, status in (("good-1", "Completed"), ("bad-1", "Errored")):
        update = {"type": "run_update", "run_update": {"id": run, "status": status}}
        post(first, "api/workflows/update", update)
    begun = "2026-01-01T00:00:00.000Z"
    assert checking(maxErrorRate=0.5).check_errors(first, begun).healthy
    verdict = checking(maxErrorRate=0.4).check_errors(first, begun)
    assert not verdict.healthy
    assert verdict.found == (f"1 of 2 runs since {begun} failed; the limit is 40%",)
    after = "2100-01-01T00:00:00.000Z"
    assert checking(maxErrorRate=0).check_errors(first, after).healthy


class _ServiceWithoutKeys(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"success": true, "workflows": []}')

    def log_message(self, *words) -> None:
        """Log nothing."""


def test_a_service_that_needs_no_key_is_not_healthy(checking: Checking) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _ServiceWithoutKeys) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        open_to_all = Endpoints(f"http://127.0.0.1:{server.server_port}", {}, "key")
        verdict = checking(0.2).check(open_to_all, LONG_AGO)
        server.shutdown()
    assert verdict.found == ("not healthy: the service answers 200 to a request without a key",)


def post(tenant: Endpoints, route: str, body: dict) -> dict:
    headers = {"X-API-Key": tenant.api_key}
    answer = httpx.post(f"{tenant.service_url}/{route}", json=body, headers=headers)
    return answer.raise_for_status().json()


@pytest.mark.long
def test_an_upgrade_with_an_unhealthy_canary_stops(fleet: FleetProject) -> None:
    """To roll back, restore the files and run the same command."""
    tenants = fleet.tenants
    fleet.write(
        tenants | {"t01": {"config": {"debug": True}}},
        health={"workflow": "none", "withinSeconds": 1},
    )
    events = fleet.events("up", "--tenants", "t01", "--workers", "1", code=1)
    assert events[-1]["reason"] == "t01 is not healthy"
    assert events[-1]["where"]["unhealthy"] == ["t01"]
    assert fleet.outcomes()["t01"] == "unhealthy"
    fleet.write(tenants)
    assert fleet.events("up", "--tenants", "t01", "--workers", "1")[-1]["event"] == "done"
    assert fleet.outcomes()["t01"] == "applied"


def test_a_foreign_worker_under_a_tenants_name_is_not_overwritten(
    tmp_path: Path, cloudflare: Cloudflare
) -> None:
    fleet = make_fleet(tmp_path / "fleet", cloudflare, 1)
    name = "t01-prod-flowflare-orders"
    with open_manual_account(Project(fleet.root, fleet.account), cloudflare) as manual:
        manual.upload(name, "export default { fetch() { return new Response('by hand') } }")
    refused = fleet.run("up", "--workers", "1")
    assert refused.code == 1
    assert f"{name}: a script of that name exists, and this stack did not create it" in refused.err
    assert fleet.account.list_databases() == []


def test_one_tenant_is_suspended_and_one_retired(fleet: FleetProject) -> None:
    """Each takes one line in the file; the export has every row of the retired tenant."""
    tables = rows_of(fleet, "t03")
    fleet.write(fleet.tenants | {"t02": {"status": "suspended"}, "t03": {"status": "retired"}})
    refused = fleet.run("up", "--tenants", "t02,t03")
    assert refused.code == 1
    assert "retired in tenants.yaml, but not removed yet: t03" in refused.err
    assert "--retire t03" in refused.err
    assert fleet.outcomes()["t02"] == "applied"

    words = ("up", "--tenants", "t02,t03", "--retire", "t03", "--workers", "1")
    events = fleet.kill_when(lambda event: event["event"] == "exported", *words)
    assert events[-1]["databases"] == {"t03-prod-flowflare-db": sum(map(len, tables.values()))}
    assert fleet.outcomes()["t02"] == "suspended"
    assert fleet.outcomes()["t03"] == "running"
    events = fleet.events(*words)
    assert events[-1]["removed"] == 1
    assert fleet.outcomes()["t03"] == "retired"
    assert not [name for name in fleet.account.list_databases() if "t03" in name]
    assert not [name for name in fleet.account.list_scripts() if "t03" in name]
    assert load_rows(exports(fleet, "t03"), fleet.root / "again.sqlite") == tables
    assert "service_url" not in open_embedded(fleet.root, "t02-prod").outputs() or (
        open_embedded(fleet.root, "t02-prod").outputs()["service_url"] is None
    )


def test_a_tenant_to_destroy_must_be_named_twice(fleet: FleetProject) -> None:
    refused = fleet.run("destroy", "--tenants", "t04")
    assert refused.code == 1
    assert "--tenants t04 --lose-data t04" in refused.err
    assert fleet.outcomes()["t04"] == "applied"
    events = fleet.events(
        "destroy", "--tenants", "t04", "--lose-data", "t04", "--no-export", "--workers", "1"
    )
    assert events[-1]["removed"] == 1
    assert fleet.outcomes()["t04"] == "destroyed"
    assert not (fleet.root / ".flowflare/exports/t04-prod").exists()
    assert not [name for name in fleet.account.list_scripts() if "t04" in name]
    assert len([name for name in fleet.account.list_scripts() if "t01" in name]) == 2


def rows_of(fleet: FleetProject, tenant: str) -> dict[str, list[dict]]:
    """Read every row of a tenant's database through the API."""
    outputs = open_embedded(fleet.root, f"{tenant}-prod").outputs()
    path = f"/d1/database/{outputs['database_id']}/query"

    def query(sql: str) -> list[dict]:
        return fleet.account.post(path, {"sql": sql})[-1]["results"]

    names = [row["name"] for row in query(exported_sql.TABLES)]
    return {name: query(f"SELECT * FROM {name} ORDER BY rowid") for name in names}


def exports(fleet: FleetProject, tenant: str) -> Path:
    """Return the newest export of a tenant's database."""
    folder = max((fleet.root / f".flowflare/exports/{tenant}-prod").iterdir())
    manifest = json.loads((folder / "manifest.json").read_text())
    [database] = manifest["databases"]
    return folder / database["file"]


def load_rows(sql: Path, into: Path) -> dict[str, list[dict]]:
    """Load an export into SQLite, and read every row."""
    exported_sql.load(sql, into)
    with sqlite3.connect(into) as database:
        database.row_factory = sqlite3.Row
        names = [row["name"] for row in database.execute(exported_sql.TABLES)]
        return {
            name: [dict(row) for row in database.execute(f"SELECT * FROM {name} ORDER BY rowid")]
            for name in names
        }
