"""Drift is found between the state and an account that another client changed."""

import json
import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from flowflare.cli.drift import look
from flowflare.config.files import read_project_file
from flowflare.review.drift.model import DriftDocument
from tests.cli.command import flowflare
from tests.e2e.conftest import Project
from tests.e2e.embedded import READS, Cloudflare

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]

ORDERS, SERVICE = "local-flowflare-orders", "local-flowflare-service"
Difference = tuple[str, str, str]


class OtherClient:
    """Another client of the API that changes the account, such as wrangler or the dashboard."""

    def __init__(self, cloudflare: Cloudflare, project: Project) -> None:
        self._account = f"/accounts/{project.account.identity}"
        headers = {"Authorization": f"Bearer {cloudflare.token}"}
        self.http = httpx.Client(base_url=cloudflare.base_url, headers=headers)

    def call(self, method: str, path: str, **arguments: Any) -> Any:
        base = "" if path.startswith("/zones") else self._account
        answer = self.http.request(method, base + path, **arguments)
        assert answer.is_success, answer.text
        return answer.json()["result"]

    def patch_settings(self, script: str, **settings: Any) -> None:
        part = {"settings": (None, json.dumps(settings), "application/json")}
        self.call("PATCH", f"/workers/scripts/{script}/settings", files=part)

    def bind(self, script: str, *bindings: dict[str, Any], drop: tuple[str, ...] = ()) -> None:
        """Add bindings, drop some, and keep the others."""
        live = self.call("GET", f"/workers/scripts/{script}/settings")["bindings"]
        replaced = {*drop, *(binding["name"] for binding in bindings)}
        kept = [
            {"type": "inherit", "name": binding["name"]}
            for binding in live
            if binding["name"] not in replaced
        ]
        self.patch_settings(script, bindings=[*kept, *bindings])

    def run_sql(self, database: str, text: str) -> None:
        uuid = self.call("GET", f"/d1/database/{database}")["uuid"]
        self.call("POST", f"/d1/database/{uuid}/query", json={"sql": text})

    def deploy(self, script: str, code: str, **more: Any) -> None:
        """Upload other code as wrangler does, and keep the bindings."""
        live = self.call("GET", f"/workers/scripts/{script}/settings")
        metadata = {
            "main_module": "index.js",
            "keep_bindings": sorted({binding["type"] for binding in live["bindings"]}),
            "compatibility_date": live["compatibility_date"],
            **more,
        }
        files = {
            "metadata": (None, json.dumps(metadata), "application/json"),
            "index.js": ("index.js", code, "application/javascript+module"),
        }
        agent = {"user-agent": "wrangler/4.0.0"}
        self.call("PUT", f"/workers/scripts/{script}", files=files, headers=agent)


@pytest.fixture
def other_client(cloudflare: Cloudflare, project: Project) -> Iterator[OtherClient]:
    client = OtherClient(cloudflare, project)
    yield client
    client.http.close()


def list_differences(found: DriftDocument) -> set[Difference]:
    findings = found.stacks[0].findings
    return {(finding.kind, finding.resource, finding.path) for finding in findings}


def find_drift(project: Project) -> DriftDocument:
    return look(read_project_file(project.root), ["local"])


def configure_everything(project: Project) -> str:
    """Add variables, secrets, crons, a database and routes to the example; return the zone."""
    zone, domain = secrets.token_hex(16), f"z{secrets.token_hex(6)}.example"
    folder = project.root / "worker_src/orders/migrations"
    folder.mkdir()
    (folder / "0001_items.sql").write_text(
        "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT);\n"
        "CREATE INDEX items_name ON items (name);\n"
    )
    override = {
        "variables": {"SHOP": "books", "LIMIT": 5, "PRICES": {"small": 1.5}},
        "secrets": {"SESSION_KEY": {"generated": {}}},
        "databases": {"SHOP_DB": {"migrations": "worker_src/orders/migrations"}},
        "crons": ["5 * * * *"],
        "routes": [{"pattern": f"{domain}/orders/*", "zoneId": zone}],
        "domains": [{"hostname": f"shop.{domain}", "zoneId": zone}],
        "observability": True,
        "limits": {"cpuMs": 50},
        "placement": {"mode": "smart"},
        "compatibilityFlags": ["nodejs_compat"],
    }
    source = project.root / "worker_src/orders/src/index.js"
    source.write_text(source.read_text().replace("async fetch(", "scheduled() {},\n  async fetch("))
    project.configure(f"flowflare:clientOverrides: {json.dumps({'orders': override})}")
    return zone


def test_an_unchanged_account_has_no_drift_and_every_manual_change_is_found(
    project: Project, other_client: OtherClient
) -> None:
    zone = configure_everything(project)
    project.open_stack().up()
    before = project.account.find_last_request()
    found = find_drift(project)
    assert [finding.message for finding in found.stacks[0].findings] == []
    assert (found.exit_code, found.stacks[0].error) == (0, "")
    # It makes the reported number of calls, and only reads.
    requests = project.account.list_requests(before)
    assert found.api_calls == len(requests) + 1  # the zone's routes are not in an account
    assert {request["method"] for request in requests} == {"GET", "POST"}
    writes = [request for request in requests if request["method"] not in READS]
    assert all(request["path"].endswith("/query") for request in writes)

    other_client.bind(
        ORDERS,
        {"type": "plain_text", "name": "SHOP", "text": "toys"},
        {"type": "secret_text", "name": "EXTRA", "text": "hidden-value"},
        {"type": "plain_text", "name": "MORE", "text": "x"},
        drop=("LIMIT", "SESSION_KEY"),
    )
    other_client.patch_settings(ORDERS, observability={"enabled": False}, limits={"cpu_ms": 10})
    other_client.patch_settings(
        ORDERS, placement={}, compatibility_flags=["nodejs_compat", "nodejs_als"]
    )
    (domain,) = other_client.call("GET", f"/workers/domains?zone_id={zone}")
    other_client.call("DELETE", f"/workers/domains/{domain['id']}")
    hostname = f"other.{domain['hostname'].partition('.')[2]}"
    here = {"hostname": hostname, "zone_id": zone, "service": ORDERS, "environment": "production"}
    other_client.call("PUT", "/workers/domains", json=here)
    other_client.call("PUT", f"/workers/scripts/{ORDERS}/schedules", json=[{"cron": "7 * * * *"}])
    other_client.call("POST", f"/workers/scripts/{SERVICE}/subdomain", json={"enabled": False})
    route = other_client.call("GET", f"/zones/{zone}/workers/routes")[0]
    other_client.call("DELETE", f"/zones/{zone}/workers/routes/{route['id']}")
    pattern = route["pattern"].replace("/orders/", "/other/")
    other_client.call(
        "POST", f"/zones/{zone}/workers/routes", json={"pattern": pattern, "script": ORDERS}
    )
    other_client.call("DELETE", "/workflows/local-flowflare-order-processing")
    other = {"script_name": ORDERS, "class_name": "OrderWorkflow"}
    other_client.call("PUT", "/workflows/another", json=other)
    database = "local-flowflare-orders-shop-db"
    other_client.run_sql(
        database,
        "DROP INDEX items_name; CREATE TABLE by_hand (id INTEGER); "
        "ALTER TABLE items ADD COLUMN note TEXT;",
    )
    other_client.run_sql(
        database, "INSERT INTO d1_migrations (name) VALUES ('0002_elsewhere.sql');"
    )
    other_client.run_sql(
        "local-flowflare-db",
        "DELETE FROM d1_migrations WHERE id = 1; UPDATE flowflare_migrations SET checksum = 'x' "
        "WHERE name LIKE '0002%';",
    )
    found = find_drift(project)
    client, service = "flowflare-orders", "flowflare-service"
    assert list_differences(found) == {
        ("changed", f"{client}-script", 'bindings["SHOP"].text'),
        ("missing", f"{client}-script", 'bindings["LIMIT"]'),
        ("missing", f"{client}-script", 'bindings["SESSION_KEY"]'),
        ("extra", f"{client}-script", 'bindings["EXTRA"]'),
        ("extra", f"{client}-script", 'bindings["MORE"]'),
        ("changed", f"{client}-script", "observability.enabled"),
        ("changed", f"{client}-script", "limits.cpu_ms"),
        ("changed", f"{client}-script", "placement.mode"),
        ("changed", f"{client}-script", "compatibility_flags"),
        ("missing", f"flowflare-domain-{domain['hostname']}", ""),
        ("extra", f"{client}-script", "domains"),
        ("missing", f"{client}-crons", 'schedules["5 * * * *"]'),
        ("extra", f"{client}-crons", 'schedules["7 * * * *"]'),
        ("changed", f"{service}-subdomain", "enabled"),
        ("missing", f"flowflare-route-{route['pattern']}", ""),
        ("extra", f"{client}-script", "routes"),
        ("missing", f"{client}-order-processing", ""),
        ("extra", f"{client}-script", "workflows"),
        ("missing", f"{client}-shop-db-migrations", 'index["items_name"]'),
        ("extra", f"{client}-shop-db-migrations", 'table["by_hand"]'),
        ("extra", f"{client}-shop-db-migrations", 'table["items"].column["note"]'),
        ("extra", f"{client}-shop-db-migrations", 'applied["0002_elsewhere.sql"]'),
        ("missing", f"{service}-migrations", 'applied["0001_tracking.sql"]'),
        ("changed", f"{service}-migrations", 'applied["0002_open_runs.sql"]'),
    }
    messages = "\n".join(finding.message for finding in found.stacks[0].findings)
    assert 'To undo it: ALTER TABLE "items" DROP COLUMN "note";' in messages
    assert "To adopt it, write a new file: CREATE TABLE IF NOT EXISTS by_hand" in messages
    assert "hidden-value" not in found.model_dump_json()
    assert found.exit_code == 2


def test_deployments_of_wrangler_and_deleted_resources_are_found(
    project: Project, other_client: OtherClient
) -> None:
    project.open_stack().up()
    other_client.deploy(ORDERS, "export class OrderWorkflow {}\nexport default { fetch() {} };\n")
    result = flowflare("drift", "-s", "local", "--exit-code", "-C", str(project.root))
    assert result.code == 2
    assert "the code is not what state uploaded (last deployed from wrangler)" in result.out
    findings = find_drift(project).stacks[0].findings
    assert [finding.by for finding in findings if finding.path == "content"] == ["wrangler"]

    # Classes come with an upload: a migration tag that the program does not have, and a namespace.
    step = {"new_tag": "by-hand", "steps": [{"new_sqlite_classes": ["Extra"]}]}
    classes = "export class WorkflowTracker {}\nexport class Extra {}\n"
    other_code = f"{classes}export default {{ fetch() {{}} }};\n"
    other_client.deploy(SERVICE, other_code, migrations={"old_tag": "workflow-tracker-v1"} | step)
    ours = "flowflare-service-class-migrations"
    differences = list_differences(find_drift(project))
    assert {each for each in differences if each[1] == ours} == {
        ("changed", ours, "migration_tag"),
        ("extra", ours, 'classes["Extra"]'),
    }

    # A stack of the Pulumi CLI has the same state in the same layout, and the same remedy.
    project.edit("Pulumi.local.yaml", "  flowflare:engine: embedded\n", "")
    other_client.call("DELETE", f"/workers/scripts/{SERVICE}?force=true")
    uuid = other_client.call("GET", "/d1/database/local-flowflare-db")["uuid"]
    other_client.call("DELETE", f"/d1/database/{uuid}")
    state = (project.root / ".flowflare/state").as_uri()
    printed = project.flowflare("drift", "--json", PULUMI_BACKEND_URL=state)
    assert printed.returncode == 0, printed.stderr
    found = DriftDocument.model_validate_json(printed.stdout)
    missing = {
        finding.resource for finding in found.stacks[0].findings if finding.kind == "missing"
    }
    assert {"flowflare-service-script", "flowflare-service-database"} <= missing
    remedies = [finding.remedy for finding in found.stacks[0].findings]
    assert any("flowflare up --refresh --stack local" in remedy for remedy in remedies)

    # An account that does not answer must not count as an account without drift.
    with project.account.inject_fault({"kind": "answer", "status": 403}, method="GET"):
        broken = project.flowflare("drift", "--exit-code", PULUMI_BACKEND_URL=state)
    assert broken.returncode == 1
    assert "could not be compared: local" in broken.stderr


def test_drift_is_repaired_by_a_refresh_and_the_next_up(
    project: Project, other_client: OtherClient
) -> None:
    stack = project.open_stack()
    stack.up()
    other_client.bind(SERVICE, {"type": "plain_text", "name": "EXTRA", "text": "by hand"})
    other_client.call("DELETE", f"/workers/scripts/{ORDERS}?force=true")
    since = project.account.find_last_request()
    found = json.loads(project.flowflare("refresh", "--json").stdout)
    ops = {step["name"]: (step["op"], step["note"]) for step in found["steps"]}
    assert ops["flowflare-service-script"][0] == "update"
    assert "EXTRA" in ops["flowflare-service-script"][1]
    assert ops["flowflare-orders-script"] == ("delete", "is not in the account")
    assert ops["flowflare-service-database"][0] == "same"
    writes = [line for line in project.account.list_writes(since) if not line.endswith("/query")]
    assert writes == [], "a refresh changes nothing in the account"

    changed = {step.name: step.op for step in stack.preview().steps if step.op != "same"}
    assert changed["flowflare-service-script"] == "update"
    assert changed["flowflare-orders-script"] == "create"
    stack.up()
    assert find_drift(project).stacks[0].result == "same"
    assert stack.up().changed == 0

    # In one command, with the database and everything in it gone.
    uuid = other_client.call("GET", "/d1/database/local-flowflare-db")["uuid"]
    other_client.call("DELETE", f"/d1/database/{uuid}")
    other_client.call("DELETE", f"/workers/scripts/{SERVICE}?force=true")
    repaired = project.flowflare("up", "--refresh", "--json")
    assert repaired.returncode == 0, repaired.stderr
    assert find_drift(project).stacks[0].result == "same"
    assert json.loads(project.flowflare("up", "--json").stdout)["changed"] == 0


def test_up_changes_only_targets_and_replaces_what_is_named(project: Project) -> None:
    stack = project.open_stack()
    project.configure('flowflare:clientOverrides: {"orders": {"variables": {"A": "1"}}}')
    alone = project.flowflare("up", "--target", "flowflare-orders-script")
    assert alone.returncode == 1
    assert "neither in state nor a target" in alone.stderr
    stack.up()

    project.edit("Pulumi.local.yaml", '"A": "1"', '"A": "2"')
    project.configure("flowflare:debug: true")
    done = project.flowflare("up", "--target", "*-orders-script", "--json")
    assert done.returncode == 0, done.stderr
    ops = {step["name"]: step["op"] for step in json.loads(done.stdout)["steps"]}
    assert [name for name, op in ops.items() if op != "same"] == ["flowflare-orders-script"]
    left = {step.name for step in project.open_stack().preview().steps if step.op != "same"}
    assert "flowflare-service-script" in left

    again = project.flowflare("up", "--replace", "flowflare-orders-script", "--json")
    assert again.returncode == 0, again.stderr
    steps = {step["name"]: step for step in json.loads(again.stdout)["steps"]}
    assert steps["flowflare-orders-script"]["op"] == "replace"
    wrong = project.flowflare("up", "--target", "ordres", "--replace", "x")
    assert wrong.returncode == 1
    assert "--target ordres; --replace x: the stack has no such resource" in wrong.stderr
    assert project.open_stack().up().changed == 0


@pytest.mark.long
def test_a_refresh_repairs_every_part_of_a_client(
    project: Project, other_client: OtherClient
) -> None:
    call, script = other_client.call, "local-flowflare-stock"
    source = 'export default { fetch: () => new Response("ok"), queue() {}, scheduled() {} };\n'
    (project.root / "worker_src/stock.js").write_text(source)
    client = {
        "source": "worker_src/stock.js",
        "variables": {"SHOP": "books"},
        "secrets": {"SESSION_KEY": {"generated": {}}},
        "bindings": {
            "CACHE": {"kvNamespace": {}},
            "FILES": {"r2Bucket": {}},
            "JOBS": {"queue": {}},
        },
        "queueConsumers": [{"queue": "JOBS", "batchSize": 50}],
        "databases": {"DB": {}},
        "crons": ["5 * * * *", "0 3 * * *"],
    }
    project.configure(f"flowflare:clients: {json.dumps({'stock': client})}")
    project.open_stack().up()

    (queue,) = call("GET", "/queues")
    consumers = f"/queues/{queue['queue_id']}/consumers"
    (consumer,) = call("GET", consumers)
    (namespace,) = call("GET", "/storage/kv/namespaces")
    uuid = call("GET", f"/d1/database/{script}-db")["uuid"]
    changed = {"type": "worker", "script_name": script, "settings": {"batch_size": 7}}
    other_client.bind(script, drop=("CACHE",))
    call("DELETE", f"/workers/scripts/{script}/secrets/SESSION_KEY")
    call("PUT", f"/workers/scripts/{script}/schedules", json=[])
    call("POST", f"/workers/scripts/{script}/subdomain", json={"enabled": False})
    call("PUT", f"{consumers}/{consumer['consumer_id']}", json=changed)
    call("DELETE", f"/storage/kv/namespaces/{namespace['id']}")
    call("DELETE", f"/r2/buckets/{script}-files")
    call("DELETE", f"/d1/database/{uuid}")
    stack = project.open_stack()
    refreshed = {step.name for step in stack.refresh().steps if step.op != "same"}
    parts = ("script", "crons", "subdomain", "url", "jobs-queue-consumer")
    stores = ("cache-kv-namespace", "files-r2-bucket", "db-database")
    assert refreshed == {f"flowflare-stock-{name}" for name in (*parts, *stores)}
    stack.up()
    assert find_drift(project).stacks[0].result == "same"
    assert stack.up().changed == 0
