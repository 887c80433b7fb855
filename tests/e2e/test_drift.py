"""Drift between state and account: what others did to a stack's Workers, crons and databases."""

import json
import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from flowflare.cli.drift import look
from flowflare.review.drift.model import DriftDocument
from tests.cli.command import flowflare
from tests.e2e.conftest import Project
from tests.e2e.embedded import READS, Cloudflare

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]

ORDERS, SERVICE = "local-flowflare-orders", "local-flowflare-service"
Seen = tuple[str, str, str]


class Others:
    """Somebody else with a token: a script, wrangler, the dashboard."""

    def __init__(self, cloudflare: Cloudflare, project: Project) -> None:
        self._account = f"/accounts/{project.account.identity}"
        headers = {"Authorization": f"Bearer {cloudflare.token}"}
        self.http = httpx.Client(base_url=cloudflare.base_url, headers=headers)

    def call(self, method: str, path: str, **arguments: Any) -> Any:
        base = "" if path.startswith("/zones") else self._account
        answer = self.http.request(method, base + path, **arguments)
        assert answer.is_success, answer.text
        return answer.json()["result"]

    def settings(self, script: str, **changed: Any) -> None:
        part = {"settings": (None, json.dumps(changed), "application/json")}
        self.call("PATCH", f"/workers/scripts/{script}/settings", files=part)

    def bind(self, script: str, *bindings: dict[str, Any], drop: tuple[str, ...] = ()) -> None:
        """Binds something else, and leaves the rest as it is but for what is dropped."""
        live = self.call("GET", f"/workers/scripts/{script}/settings")["bindings"]
        gone = {*drop, *(one["name"] for one in bindings)}
        kept = [{"type": "inherit", "name": one["name"]} for one in live if one["name"] not in gone]
        self.settings(script, bindings=[*kept, *bindings])

    def sql(self, database: str, text: str) -> None:
        uuid = self.call("GET", f"/d1/database/{database}")["uuid"]
        self.call("POST", f"/d1/database/{uuid}/query", json={"sql": text})

    def deploy(self, script: str, code: str, **more: Any) -> None:
        """Uploads other code as wrangler does, with the bindings that are there."""
        live = self.call("GET", f"/workers/scripts/{script}/settings")
        metadata = {
            "main_module": "index.js",
            "keep_bindings": sorted({one["type"] for one in live["bindings"]}),
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
def others(cloudflare: Cloudflare, project: Project) -> Iterator[Others]:
    made = Others(cloudflare, project)
    yield made
    made.http.close()


def seen(found: DriftDocument) -> set[Seen]:
    return {(one.kind, one.resource, one.path) for one in found.stacks[0].findings}


def drift(project: Project) -> DriftDocument:
    return look(project.root, ["local"])


def make_rich(project: Project) -> str:
    """Gives the example variables, secrets, crons, a database and a route; returns the zone."""
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


def test_an_account_as_state_has_it_and_what_others_do_to_it(
    project: Project, others: Others
) -> None:
    zone = make_rich(project)
    project.stack().up()
    before = project.account.last_request()
    found = drift(project)
    assert [one.message for one in found.stacks[0].findings] == []
    assert (found.exit_code, found.stacks[0].error) == (0, "")
    # It asks as often as it says, and only reads.
    asked = project.account.requests(before)
    assert found.api_calls == len(asked) + 1  # the zone's routes are below no account
    assert {one["method"] for one in asked} == {"GET", "POST"}
    assert all(one["path"].endswith("/query") for one in asked if one["method"] not in READS)

    others.bind(
        ORDERS,
        {"type": "plain_text", "name": "SHOP", "text": "toys"},
        {"type": "secret_text", "name": "EXTRA", "text": "hidden-value"},
        {"type": "plain_text", "name": "MORE", "text": "x"},
        drop=("LIMIT", "SESSION_KEY"),
    )
    others.settings(ORDERS, observability={"enabled": False}, limits={"cpu_ms": 10})
    others.settings(ORDERS, placement={}, compatibility_flags=["nodejs_compat", "nodejs_als"])
    (domain,) = others.call("GET", f"/workers/domains?zone_id={zone}")
    others.call("DELETE", f"/workers/domains/{domain['id']}")
    hostname = f"other.{domain['hostname'].partition('.')[2]}"
    here = {"hostname": hostname, "zone_id": zone, "service": ORDERS, "environment": "production"}
    others.call("PUT", "/workers/domains", json=here)
    others.call("PUT", f"/workers/scripts/{ORDERS}/schedules", json=[{"cron": "7 * * * *"}])
    others.call("POST", f"/workers/scripts/{SERVICE}/subdomain", json={"enabled": False})
    route = others.call("GET", f"/zones/{zone}/workers/routes")[0]
    others.call("DELETE", f"/zones/{zone}/workers/routes/{route['id']}")
    pattern = route["pattern"].replace("/orders/", "/other/")
    others.call(
        "POST", f"/zones/{zone}/workers/routes", json={"pattern": pattern, "script": ORDERS}
    )
    others.call("DELETE", "/workflows/local-flowflare-order-processing")
    other = {"script_name": ORDERS, "class_name": "OrderWorkflow"}
    others.call("PUT", "/workflows/another", json=other)
    database = "local-flowflare-orders-shop-db"
    others.sql(database, "DROP INDEX items_name; CREATE TABLE by_hand (id INTEGER);")
    others.sql(database, "INSERT INTO d1_migrations (name) VALUES ('0002_elsewhere.sql');")
    others.sql(
        "local-flowflare-db",
        "DELETE FROM d1_migrations WHERE id = 1; UPDATE flowflare_migrations SET checksum = 'x' "
        "WHERE name LIKE '0002%';",
    )
    found = drift(project)
    client, service = "flowflare-orders", "flowflare-service"
    assert seen(found) == {
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
        ("extra", f"{client}-shop-db-migrations", 'applied["0002_elsewhere.sql"]'),
        ("missing", f"{service}-migrations", 'applied["0001_tracking.sql"]'),
        ("changed", f"{service}-migrations", 'applied["0002_open_runs.sql"]'),
    }
    assert "hidden-value" not in found.model_dump_json()
    assert found.exit_code == 2


def test_what_wrangler_deploys_and_what_is_deleted(project: Project, others: Others) -> None:
    project.stack().up()
    others.deploy(ORDERS, "export class OrderWorkflow {}\nexport default { fetch() {} };\n")
    answer = flowflare("drift", "-s", "local", "--exit-code", "-C", str(project.root))
    assert answer.code == 2
    assert "the code is not what state uploaded (last deployed from wrangler)" in answer.out
    code = [one for one in drift(project).stacks[0].findings if one.path == "content"]
    assert [one.by for one in code] == ["wrangler"]

    # Classes come with an upload: a tag that the history does not have, and a namespace.
    step = {"new_tag": "by-hand", "steps": [{"new_sqlite_classes": ["Extra"]}]}
    classes = "export class WorkflowTracker {}\nexport class Extra {}\n"
    code_of_others = f"{classes}export default {{ fetch() {{}} }};\n"
    others.deploy(SERVICE, code_of_others, migrations={"old_tag": "workflow-tracker-v1"} | step)
    ours = "flowflare-service-class-migrations"
    assert {one for one in seen(drift(project)) if one[1] == ours} == {
        ("changed", ours, "migration_tag"),
        ("extra", ours, 'classes["Extra"]'),
    }

    # The real engine's state is the same file in the same layout, and its way back is another.
    project.edit("Pulumi.local.yaml", "  flowflare:engine: embedded\n", "")
    others.call("DELETE", f"/workers/scripts/{SERVICE}?force=true")
    uuid = others.call("GET", "/d1/database/local-flowflare-db")["uuid"]
    others.call("DELETE", f"/d1/database/{uuid}")
    state = (project.root / ".flowflare/state").as_uri()
    printed = project.flowflare("drift", "--json", PULUMI_BACKEND_URL=state)
    assert printed.returncode == 0, printed.stderr
    found = DriftDocument.model_validate_json(printed.stdout)
    gone = {one.resource for one in found.stacks[0].findings if one.kind == "missing"}
    assert {"flowflare-service-script", "flowflare-service-database"} <= gone
    assert any("pulumi refresh --stack local" in one.remedy for one in found.stacks[0].findings)

    # An account that does not answer is no account without drift.
    with project.account.fault({"kind": "answer", "status": 403}, method="GET"):
        broken = project.flowflare("drift", "--exit-code", PULUMI_BACKEND_URL=state)
    assert broken.returncode == 1
    assert "could not be compared: local" in broken.stderr
