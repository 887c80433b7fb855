"""Workflows: created, moved, deleted, run across scripts, and resumed after a reload."""

from typing import Any

import pytest

from tests.emulator.emulated import Account, get
from tests.support.waiting import wait_until

pytestmark = pytest.mark.workerd

CLIENT = """
import { WorkflowEntrypoint } from "cloudflare:workers";
export class Flow extends WorkflowEntrypoint {
  async run(event, step) {
    const first = await step.do("first", async () => Math.random());
    await step.sleep("nap", 1500);
    return { name: event.workflowName, payload: event.payload, first };
  }
}
export default {};
"""
SERVICE = """
export default {
  async fetch(request, env) {
    const id = new URL(request.url).searchParams.get("id");
    if (!id) return Response.json({ id: (await env.FLOW.create({ params: { n: 1 } })).id });
    return Response.json(await (await env.FLOW.get(id)).status());
  },
};
"""
BINDING = {"type": "workflow", "name": "FLOW", "workflow_name": "orders"}


def deploy(account: Account) -> str:
    account.put("client", CLIENT, bindings=[{**BINDING, "class_name": "Flow"}])
    account.call("PUT", "/workflows/orders", json={"script_name": "client", "class_name": "Flow"})
    account.put("service", SERVICE, bindings=[{**BINDING, "script_name": "client"}])
    return account.enable("service")


def wait_until_finished(url: str, instance: str) -> dict[str, Any]:
    return wait_until(
        lambda: get(url, params={"id": instance}).json(),
        lambda status: status["status"] not in {"running", "queued", "waiting"},
    )


def test_an_instance_runs_across_scripts_and_survives_a_reload(account: Account) -> None:
    url = deploy(account)
    instance = get(url).json()["id"]
    before = wait_until(
        lambda: get(url, params={"id": instance}).json().get("__LOCAL_DEV_STEP_OUTPUTS")
    )
    account.put("service", SERVICE + "// changed", bindings=[{**BINDING, "script_name": "client"}])
    status = wait_until_finished(url, instance)
    assert status["status"] == "complete"
    assert status["output"] == {"name": "orders", "payload": {"n": 1}, "first": before[0]}


def test_a_deleted_workflow_leaves_no_instance(account: Account) -> None:
    url = deploy(account)
    instance = get(url).json()["id"]
    made = account.call("GET", "/workflows/orders")
    folder = account.running.data / "runtime" / "workflows" / f"miniflare-workflows-{made['id']}"
    assert get(url, params={"id": instance}).status_code == 200
    assert folder.exists()
    account.call("DELETE", "/workflows/orders")
    account.control("POST", f"/settle?account={account.id}")
    assert not folder.exists()
    deploy(account)
    assert get(url, params={"id": instance}).status_code == 500


def test_a_workflow_keeps_its_id_when_it_moves(account: Account) -> None:
    account.put("one", CLIENT)
    account.put("two", CLIENT)
    body = {"script_name": "one", "class_name": "Flow"}
    made = account.call("PUT", "/workflows/orders", json=body)
    moved = account.call("PUT", "/workflows/orders", json={**body, "script_name": "two"})
    assert moved["id"] == made["id"]
    assert moved["script_name"] == "two"
    assert [each["name"] for each in account.call("GET", "/workflows")] == ["orders"]
    assert account.call("DELETE", "/workflows/orders") == {"status": "ok", "success": True}
    gone = account.expect_refusal("GET", "/workflows/orders")
    assert (gone.status, gone.errors[0][0]) == (404, 10200)


def test_a_workflow_needs_its_script(account: Account) -> None:
    body = {"script_name": "none", "class_name": "Flow"}
    refused = account.expect_refusal("PUT", "/workflows/orders", json=body)
    assert (refused.status, refused.errors[0][0]) == (404, 10007)
    refused = account.expect_refusal("PUT", "/workflows/orders", json={"script_name": "none"})
    assert (refused.status, refused.errors[0][0]) == (400, 10002)
