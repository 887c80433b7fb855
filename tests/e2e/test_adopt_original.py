"""An install of other code under other names, as the original's setup script made it."""

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

from flowflare.state.location import backend_of
from tests.e2e.by_hand import KEY, ByHand, by_hand
from tests.e2e.conftest import ROOT, Project
from tests.e2e.embedded import Cloudflare
from tests.support.waiting import PATIENCE, wait_until

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]

# The service of the original's template: the tracker under its tag, the key among the variables.
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


def install(hand: ByHand, *, key: dict[str, str] | None = None) -> str:
    """Puts it there under the original's names; returns the database's id."""
    uuid = hand.database("flowflare-db", *FILES)
    tracker = {
        "type": "durable_object_namespace",
        "name": "WORKFLOW_TRACKER",
        "class_name": "WorkflowTracker",
    }
    key = key or {"type": "plain_text", "name": "SERVICE_API_KEY", "text": KEY}
    hand.upload(
        "flowflare-service",
        SERVICE,
        bindings=[tracker, {"type": "d1", "name": "DB", "id": uuid}, key],
        migrations={"new_tag": TAG, "new_sqlite_classes": ["WorkflowTracker"]},
    )
    theirs = {**tracker, "script_name": "flowflare-service"}
    hand.upload("shop-worker", CLIENT, bindings=[theirs])
    path, body = "/workflows/orders-workflow", {"class_name": "OrderWorkflow"}
    hand.call("PUT", path, json={**body, "script_name": "shop-worker"})
    return uuid


@pytest.fixture
def hand(project: Project, cloudflare: Cloudflare) -> Iterator[ByHand]:
    with by_hand(project, cloudflare) as somebody:
        yield somebody


def state(project: Project) -> Any:
    return backend_of(project.root, "flowflare", "local", {}).load()


def test_its_data_stays_and_the_next_up_changes_just_what_differs(hand: ByHand) -> None:
    uuid = install(hand)
    insert = "INSERT INTO workflow (name) VALUES ('kept') RETURNING id"
    hand.sql(uuid, insert)
    assert httpx.get(hand.url("flowflare-service"), timeout=PATIENCE).text == "kept"
    spaces = hand.call("GET", "/workers/durable_objects/namespaces")
    told = hand.run("adopt", code=1).err
    assert all(name in told for name in NAMES.values())
    assert state(hand.project) is None

    file = hand.project.root / "Pulumi.local.yaml"
    file.write_text(file.read_text() + "  # the end\n")
    before = file.read_text()
    document = json.loads(hand.run("adopt", *FOUND, "--json").out)
    assert document["names"] == {f"names.{key}": name for key, name in NAMES.items()} | {
        "trackerTag": TAG
    }
    assert KEY not in json.dumps(document)
    assert set(before.splitlines()) <= set(file.read_text().splitlines())
    assert hand.changes() == {
        "flowflare-orders-script": [
            'bindings["ORDER_PROCESSING"]',
            'bindings["WORKFLOW_API_KEY"]',
            'bindings["WORKFLOW_SERVICE"]',
            *("content", "mainModule"),
        ],
        "flowflare-service-script": [
            'bindings["ORDER_PROCESSING"]',
            'bindings["SERVICE_API_KEY"].type',
            *("content", "mainModule"),
        ],
    }

    hand.run("up")
    assert hand.changes() == {}
    last = hand.project.account.last_request()
    hand.run("up")
    assert hand.project.account.writes(last) == []
    assert hand.sql(uuid, "SELECT name FROM workflow") == [{"name": "kept"}]
    assert hand.call("GET", "/workers/durable_objects/namespaces") == spaces
    url = hand.url("flowflare-service").replace("http", "ws", 1)
    with connect(f"{url}/api/tracker-websocket", additional_headers={"X-API-Key": KEY}) as feed:
        assert json.loads(feed.recv(timeout=PATIENCE))["seq"] == 41


def told(state: Any) -> list[Any]:
    """A state without what another run has otherwise: ids of providers, times, ciphertexts."""
    records = state["checkpoint"]["latest"]["resources"]
    plain = [
        {
            key: value
            for key, value in one.items()
            if key not in ("provider", "created", "modified", "inputs", "outputs")
            and not (key == "id" and one["type"].startswith("pulumi:providers:"))
        }
        for one in records
    ]
    return sorted(plain, key=lambda one: str(one["urn"]))


def kill_in_the_ledger(hand: ByHand) -> None:
    """Kills a run when D1 has its ledger and the run has not heard of it."""
    account, last = hand.project.account, hand.project.account.last_request()
    hand.adopt("--dry-run", *FOUND)
    asked = [one for one in account.writes(last) if one.endswith("/query")]
    words = ["adopt", *FOUND, "--api-key-file", "key.txt"]
    with account.fault(
        {"kind": "silence", "done": True}, method="POST", path="*/query", nth=len(asked) + 1
    ) as fault:
        process = subprocess.Popen(
            [Path(sys.executable).parent / "flowflare", *words],
            cwd=hand.project.root,
            stderr=subprocess.DEVNULL,
        )
        wait_until(fault.fired, process=process)
        process.kill()
        process.wait()


@pytest.mark.long
def test_a_run_that_was_killed_is_run_again(hand: ByHand) -> None:
    uuid = install(hand, key=SECRET)
    kill_in_the_ledger(hand)
    ledger = "SELECT name, checksum FROM flowflare_migrations ORDER BY name"
    rows = hand.sql(uuid, ledger)
    assert (len(rows), state(hand.project)) == (len(FILES), None)
    hand.adopt()
    whole, file = told(state(hand.project)), hand.project.root / "Pulumi.local.yaml"
    text = file.read_text()
    # Without its state, as it would be had the run never been killed.
    shutil.rmtree(hand.project.root / ".flowflare/state")
    hand.sql(uuid, "DROP TABLE flowflare_migrations; DROP TABLE d1_migrations;")
    hand.adopt()
    again = (told(state(hand.project)), file.read_text(), hand.sql(uuid, ledger))
    assert again == (whole, text, rows)
    # Once more there is nothing to do, and the key is not asked for again.
    before = state(hand.project)
    assert "Everything was already imported" in hand.run("adopt").out
    assert state(hand.project) == before
    # A ledger that somebody has dropped is noted again.
    hand.sql(uuid, "DROP TABLE flowflare_migrations; DROP TABLE d1_migrations;")
    assert "flowflare-db" in hand.run("adopt").out
    assert hand.sql(uuid, ledger) == rows


def test_a_new_key_is_made_where_that_is_asked_for(hand: ByHand) -> None:
    install(hand, key=SECRET)
    assert "the new key, which `flowflare outputs" in hand.run("adopt", *FOUND, "--new-api-key").out
    assert "flowflare-service-api-key" in hand.changes()
    hand.run("up")
    made = hand.project.stack().outputs(show_secrets=True)["api_key"]
    url = f"{hand.url('flowflare-service')}/service/list-workflows"
    codes = [
        httpx.post(url, json={}, headers={"X-API-Key": key}).status_code for key in (made, KEY)
    ]
    assert codes == [200, 401]
    assert hand.changes() == {}
