"""An installation by the original's setup script, with other code and names, is adopted."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from flowflare.config.files import read_project_file
from flowflare.state.location import open_backend
from tests.e2e.conftest import ROOT, Project
from tests.e2e.embedded import Cloudflare
from tests.e2e.manual_account import KEY, ManualAccount, open_manual_account
from tests.support.waiting import PATIENCE, wait_until

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]

# The original's service: its tracker has its own migration tag, and its key is a variable.
SERVICE = """
export class WorkflowTracker {
  constructor(state) { this.state = state; }
  async fetch(request) {
    await this.state.storage.put("seq", 41);
    return new Response("kept");
  }
}
export default {
  fetch(request, env) {
    const id = env.WORKFLOW_TRACKER.idFromName("feed:v1");
    return env.WORKFLOW_TRACKER.get(id).fetch(request);
  },
};
"""
CLIENT = """
import { WorkflowEntrypoint } from "cloudflare:workers";
export class OrderWorkflow extends WorkflowEntrypoint { async run() { return "by hand"; } }
export default { fetch: () => new Response("orders") };
"""
SECRET = {"type": "secret_text", "name": "SERVICE_API_KEY", "text": KEY}
FILES = sorted((ROOT / "migrations").glob("*.sql"))
NAMES = {
    "service": "flowflare-service",
    "database": "flowflare-db",
    "clients.orders": "shop-worker",
    "workflows.order-processing": "orders-workflow",
}
FOUND = ("--names", "found")
TAG = "flowflare-v1"


def install(manual: ManualAccount, *, key: dict[str, str] | None = None) -> str:
    """Install under the original's names; return the database's ID."""
    uuid = manual.create_database("flowflare-db", *FILES)
    tracker = {
        "type": "durable_object_namespace",
        "name": "WORKFLOW_TRACKER",
        "class_name": "WorkflowTracker",
    }
    key = key or {"type": "plain_text", "name": "SERVICE_API_KEY", "text": KEY}
    manual.upload(
        "flowflare-service",
        SERVICE,
        bindings=[tracker, {"type": "d1", "name": "DB", "id": uuid}, key],
        migrations={"new_tag": TAG, "new_sqlite_classes": ["WorkflowTracker"]},
    )
    binding = {**tracker, "script_name": "flowflare-service"}
    manual.upload("shop-worker", CLIENT, bindings=[binding])
    path, body = "/workflows/orders-workflow", {"class_name": "OrderWorkflow"}
    manual.call("PUT", path, json={**body, "script_name": "shop-worker"})
    return uuid


@pytest.fixture
def manual(project: Project, cloudflare: Cloudflare) -> Iterator[ManualAccount]:
    with open_manual_account(project, cloudflare) as manual:
        yield manual


def load_state(project: Project) -> Any:
    return open_backend(read_project_file(project.root), "local", {}).load()


def test_data_stays_and_the_next_up_changes_only_what_differs(manual: ManualAccount) -> None:
    uuid = install(manual)
    insert = "INSERT INTO workflow (name) VALUES ('kept') RETURNING id"
    manual.run_sql(uuid, insert)
    assert httpx.get(manual.read_url("flowflare-service"), timeout=PATIENCE).text == "kept"
    spaces = manual.call("GET", "/workers/durable_objects/namespaces")
    error = manual.run("adopt", code=1).err
    assert all(name in error for name in NAMES.values())
    assert load_state(manual.project) is None

    file = manual.project.root / "Pulumi.local.yaml"
    file.write_text(file.read_text() + "  # the end\n")
    before = file.read_text()
    document = json.loads(manual.run("adopt", *FOUND, "--json").out)
    assert document["names"] == {f"names.{key}": name for key, name in NAMES.items()} | {
        "trackerTag": TAG
    }
    assert KEY not in json.dumps(document)
    assert set(before.splitlines()) <= set(file.read_text().splitlines())
    assert manual.plan_changes() == {
        "flowflare-orders-script": [
            'bindings["ORDER_PROCESSING"]',
            'bindings["WORKFLOW_API_KEY"]',
            'bindings["WORKFLOW_SERVICE"]',
            *("content", "mainModule", "observability"),
        ],
        "flowflare-service-script": [
            'bindings["ORDER_PROCESSING"]',
            'bindings["SERVICE_API_KEY"].type',
            *("content", "mainModule", "observability"),
        ],
    }

    manual.run("up", "--yes")
    assert manual.plan_changes() == {}
    last = manual.project.account.find_last_request()
    manual.run("up", "--yes")
    assert manual.project.account.list_writes(last) == []
    assert manual.run_sql(uuid, "SELECT name FROM workflow") == [{"name": "kept"}]
    assert manual.call("GET", "/workers/durable_objects/namespaces") == spaces
    url = manual.read_url("flowflare-service").replace("http", "ws", 1)
    with connect(f"{url}/api/tracker-websocket", additional_headers={"X-API-Key": KEY}) as feed:
        assert json.loads(feed.recv(timeout=PATIENCE))["seq"] == 41


def normalise_state(state: Any) -> list[Any]:
    """Return a state without what differs between runs: provider IDs, times and ciphertexts."""
    records = state["checkpoint"]["latest"]["resources"]
    plain = [
        {
            key: value
            for key, value in record.items()
            if key not in ("provider", "created", "modified", "inputs", "outputs")
            and not (key == "id" and record["type"].startswith("pulumi:providers:"))
        }
        for record in records
    ]
    return sorted(plain, key=lambda record: str(record["urn"]))


def kill_at_record(manual: ManualAccount) -> None:
    """Kill a run after D1 stored the record of migrations, before the run receives the answer."""
    account, last = manual.project.account, manual.project.account.find_last_request()
    manual.adopt("--dry-run", *FOUND)
    queries = [write for write in account.list_writes(last) if write.endswith("/query")]
    words = ["adopt", *FOUND, "--api-key-file", "key.txt"]
    with account.inject_fault(
        {"kind": "silence", "done": True}, method="POST", path="*/query", nth=len(queries) + 1
    ) as fault:
        process = subprocess.Popen(
            [Path(sys.executable).parent / "flowflare", *words],
            cwd=manual.project.root,
            stderr=subprocess.DEVNULL,
        )
        wait_until(fault.count_fired, process=process)
        process.kill()
        process.wait()


@pytest.mark.long
def test_a_killed_adoption_can_be_repeated(manual: ManualAccount) -> None:
    uuid = install(manual, key=SECRET)
    kill_at_record(manual)
    ledger = "SELECT name, checksum FROM flowflare_migrations ORDER BY name"
    rows = manual.run_sql(uuid, ledger)
    assert (len(rows), load_state(manual.project)) == (len(FILES), None)
    manual.adopt()
    whole = normalise_state(load_state(manual.project))
    file = manual.project.root / "Pulumi.local.yaml"
    text = file.read_text()
    # Without state and records, as if the first run had never started.
    shutil.rmtree(manual.project.root / ".flowflare/state")
    manual.run_sql(uuid, "DROP TABLE flowflare_migrations; DROP TABLE d1_migrations;")
    manual.adopt()
    again = (
        normalise_state(load_state(manual.project)),
        file.read_text(),
        manual.run_sql(uuid, ledger),
    )
    assert again == (whole, text, rows)
    # When it is run again, nothing is left to do, and it does not need the key.
    before = load_state(manual.project)
    assert "Everything was already imported" in manual.run("adopt").out
    assert load_state(manual.project) == before
    # A record of migrations that was dropped is written again.
    manual.run_sql(uuid, "DROP TABLE flowflare_migrations; DROP TABLE d1_migrations;")
    assert "flowflare-db" in manual.run("adopt").out
    assert manual.run_sql(uuid, ledger) == rows


def test_a_new_key_is_created_on_request(manual: ManualAccount) -> None:
    install(manual, key=SECRET)
    assert (
        "the new key, which `flowflare outputs" in manual.run("adopt", *FOUND, "--new-api-key").out
    )
    assert "flowflare-service-api-key" in manual.plan_changes()
    manual.run("up", "--yes")
    key = manual.project.open_stack().outputs(show_secrets=True)["api_key"]
    service_url = manual.read_url("flowflare-service")
    url = f"{service_url}/service/list-workflows"
    headers = [{"X-API-Key": each} for each in (key, KEY)]
    codes = [httpx.post(url, json={}, headers=each).status_code for each in headers]
    assert codes == [200, 401]
    assert manual.plan_changes() == {}
