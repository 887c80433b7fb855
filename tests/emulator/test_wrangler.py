"""Unmodified wrangler migrates and deploys with only the base URL changed."""

import json
import secrets
from pathlib import Path

import pytest

from tests.emulator.emulated import Account, get
from tests.support.waiting import wait_until
from tests.support.wrangler import call_wrangler

pytestmark = pytest.mark.workerd

SOURCE = """
import { DurableObject, WorkflowEntrypoint } from "cloudflare:workers";
export class Counter extends DurableObject {}
export class Flow extends WorkflowEntrypoint { async run() {} }
export default {
  async fetch(request, env) {
    return Response.json((await env.DB.prepare("SELECT a FROM t").all()).results);
  },
};
"""


def run_wrangler(folder: Path, account: Account, *words: str) -> str:
    """Run wrangler in a folder, which is its home too, and return its output."""
    running = account.running
    return call_wrangler(
        folder, *words, base_url=running.base_url, token=running.token, account=account.id
    )


class Project:
    """A wrangler project in its own folder, with its own home."""

    def __init__(self, folder: Path, account: Account, database: str, zone: str = "") -> None:
        self.folder = folder
        self.account = account
        namespace = account.call("POST", "/storage/kv/namespaces", json={"title": "t"})["id"]
        config = {
            "name": "app",
            "main": "index.js",
            "compatibility_date": "2026-11-01",
            "d1_databases": [{"binding": "DB", "database_name": "db", "database_id": database}],
            "durable_objects": {"bindings": [{"name": "C", "class_name": "Counter"}]},
            "migrations": [{"tag": "v1", "new_sqlite_classes": ["Counter"]}],
            "workflows": [{"name": "flow", "binding": "FLOW", "class_name": "Flow"}],
            "triggers": {"crons": ["*/5 * * * *"]},
            "vars": {"V": "1"},
            "workers_dev": True,
            "routes": _routes(zone) if zone else [],
            "kv_namespaces": [{"binding": "KV", "id": namespace}],
        }
        (folder / "wrangler.json").write_text(json.dumps(config))
        (folder / "index.js").write_text(SOURCE)
        (folder / "migrations").mkdir()
        migration = "CREATE TABLE t (a); INSERT INTO t VALUES (1);"
        (folder / "migrations" / "0001_first.sql").write_text(migration)

    def run(self, *words: str) -> str:
        return run_wrangler(self.folder, self.account, *words)


def _routes(zone: str) -> list[dict[str, object]]:
    return [
        {"pattern": f"{zone}/a*", "zone_name": zone},
        {"pattern": f"shop.{zone}", "zone_name": zone, "custom_domain": True},
    ]


def test_wrangler_migrates_and_deploys_twice(account: Account, tmp_path: Path) -> None:
    zone = f"z{secrets.token_hex(6)}.example"
    made = {"name": zone, "account": account.id}
    account.control("PUT", f"/zones/{secrets.token_hex(16)}", json=made)
    project = Project(tmp_path, account, account.database("db"), zone)
    project.run("d1", "migrations", "apply", "DB", "--remote")
    assert "https://app." in project.run("deploy")
    url = account.call("GET", "/workers/scripts/app/subdomain")["url"]
    assert get(url).json() == [{"a": 1}]
    for host, path in ((zone, "/abc"), (f"shop.{zone}", "/")):
        assert get(account.root + path, headers={"Host": host}).json() == [{"a": 1}]
    (tmp_path / "index.js").write_text(SOURCE + "// changed")
    project.run("deploy")
    assert get(url).json() == [{"a": 1}]
    assert len(account.call("GET", "/workers/scripts/app/versions")["items"]) > 1
    service = account.call("GET", "/workers/services/app")["default_environment"]
    assert service["script"]["last_deployed_from"] == "wrangler"
    assert service["script"]["migration_tag"] == "v1"
    assert not [each for each in account.log() if not each["known"]]


def test_wrangler_deploys_gradually_with_observability(account: Account, tmp_path: Path) -> None:
    source = tmp_path / "index.js"
    config = {
        "name": "slow",
        "main": source.name,
        "compatibility_date": "2025-01-01",
        "observability": {"enabled": True},
    }
    (tmp_path / "wrangler.json").write_text(json.dumps(config))
    versions = "/workers/scripts/slow/versions"
    for words in (("deploy",), ("versions", "upload")):
        source.write_text(f"export default {{ fetch: () => new Response('{words[0]}') }};")
        run_wrangler(tmp_path, account, *words)
    new, old = (version["id"] for version in account.call("GET", versions)["items"])
    for shares in ({old: 60, new: 40}, {new: 100}):
        asked = [f"{version}@{share}" for version, share in shares.items()]
        run_wrangler(tmp_path, account, "versions", "deploy", *asked, "--yes")
        (active, *_) = account.call("GET", "/workers/scripts/slow/deployments")["deployments"]
        stored = {each["version_id"]: each["percentage"] for each in active["versions"]}
        assert stored == shares
    assert len(account.call("GET", versions)["items"]) == 2
    shown = account.call("GET", "/workers/scripts/slow/script-settings")
    assert shown["observability"]["enabled"] is True


FLOW = """
import { WorkflowEntrypoint } from "cloudflare:workers";
export class Flow extends WorkflowEntrypoint {
  async run(event, step) {
    await step.do("first", async () => event.payload.n);
    return (await step.waitForEvent("approval", { type: "approved" })).payload;
  }
}
export default { fetch: () => new Response() };
"""


@pytest.mark.long
def test_wrangler_deploys_a_workflow_and_controls_its_instances(
    account: Account, tmp_path: Path
) -> None:
    config = {
        "name": "app",
        "main": "index.js",
        "compatibility_date": "2026-11-01",
        "workflows": [{"name": "flow", "binding": "FLOW", "class_name": "Flow"}],
    }
    (tmp_path / "wrangler.json").write_text(json.dumps(config))
    (tmp_path / "index.js").write_text(FLOW)

    def run(*words: str) -> str:
        return run_wrangler(tmp_path, account, *words)

    def wait_for(status: str) -> None:
        path = "/workflows/flow/instances/one"
        wait_until(lambda: account.call("GET", path)["status"] == status)

    run("deploy")
    assert "flow" in run("workflows", "list")
    assert "Flow" in run("workflows", "describe", "flow")
    trigger = ("workflows", "trigger", "flow", '{"n": 7}', "--id", "one")
    assert '"one" has been queued successfully' in run(*trigger)
    wait_for("waiting")
    assert "one" in run("workflows", "instances", "list", "flow", "--status", "waiting")
    described = run("workflows", "instances", "describe", "flow", "latest")
    assert "first-1" in described
    assert "7" in described
    for command, status in (("pause", "paused"), ("resume", "waiting"), ("restart", "waiting")):
        run("workflows", "instances", command, "flow", "one")
        wait_for(status)
    event = ("--type", "approved", "--payload", '{"by": "me"}')
    run("workflows", "instances", "send-event", "flow", "one", *event)
    wait_for("complete")
    run("workflows", "trigger", "flow", "{}", "--id", "two")
    run("workflows", "instances", "terminate", "flow", "two")
    run("workflows", "trigger", "flow", "{}", "--id", "three")
    run("workflows", "instances", "terminate-all", "flow")
    run("workflows", "instances", "delete", "flow", "three")
    statuses = {each["id"]: each["status"] for each in list_instances(account)}
    assert statuses == {"one": "complete", "two": "terminated"}
    run("workflows", "delete", "flow")
    assert account.call("GET", "/workflows") == []
    assert not [each for each in account.log() if not each["known"]]


def list_instances(account: Account) -> list[dict[str, str]]:
    found: list[dict[str, str]] = account.call("GET", "/workflows/flow/instances")
    return found
