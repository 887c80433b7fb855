"""A client's bindings create a KV namespace, a bucket and queues, which are deleted with it."""

import json
from typing import Any

import httpx
import pytest

from flowflare.errors import UpdateFailed
from tests.e2e.conftest import Project
from tests.support.waiting import PATIENCE, wait_until

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]

#: Sends orders to a queue; the `queue` handler stores each in a bucket and counts the batches.
SOURCE = """
export default {
  async fetch(request, env) {
    if (request.method === "DELETE") {
      const { objects } = await env.FILES.list();
      await env.FILES.delete(objects.map(({ key }) => key));
    }
    if (request.method === "POST") await env.JOBS.send(await request.json());
    const { objects } = await env.FILES.list();
    return Response.json({
      files: objects.map(({ key }) => key),
      count: Number(await env.COUNTS.get("orders")),
    });
  },
  async queue(batch, env) {
    for (const { body } of batch.messages) {
      if (body.broken && batch.queue.endsWith("-jobs")) throw new Error("a broken order");
      await env.FILES.put(`${batch.queue}/${body.id}`, JSON.stringify(body));
    }
    await env.COUNTS.put("orders", String(Number(await env.COUNTS.get("orders")) + 1));
  },
};
"""
JOBS: dict[str, Any] = {
    "queue": "JOBS",
    "deadLetterQueue": "FAILED",
    "maxRetries": 0,
    "maxWaitTimeMs": 0,
}
SHOP: dict[str, Any] = {
    "source": "worker_src/shop.js",
    "bindings": {
        "COUNTS": {"kvNamespace": {}},
        "FAILED": {"queue": {}},
        "FILES": {"r2Bucket": {}},
        "JOBS": {"queue": {}},
    },
    "queueConsumers": [JOBS, {"queue": "FAILED", "maxWaitTimeMs": 0}],
}
STORES = [f"local-flowflare-shop-{name}" for name in ("counts", "failed", "files", "jobs")]


def configure(project: Project, before: str = "", **changes: Any) -> str:
    """Write the client with some fields changed; `before` is the line to replace."""
    line = f"flowflare:clients: {json.dumps({'shop': SHOP | changes})}"
    if before:
        project.edit("Pulumi.local.yaml", before, line)
    else:
        (project.root / "worker_src/shop.js").write_text(SOURCE)
        project.configure(line)
    return line


def list_changes(project: Project) -> dict[str, str]:
    return {step.name: step.op for step in project.open_stack().up().steps if step.op != "same"}


def test_stores_are_created_used_changed_and_deleted_with_their_client(project: Project) -> None:
    line = configure(project)
    project.open_stack().up()
    assert project.account.list_stores() == STORES
    last = project.account.find_last_request()
    assert project.open_stack().up().changed == 0
    assert project.account.list_requests(since=last) == []

    url = project.account.get("/workers/scripts/local-flowflare-shop/subdomain")["url"]
    for order in ({"id": "1"}, {"id": "2", "broken": True}):
        httpx.post(url, json=order, timeout=PATIENCE).raise_for_status()
    files = [f"{STORES[1]}/2", f"{STORES[3]}/1"]
    answer = wait_until(
        lambda: httpx.get(url, timeout=PATIENCE).json(), lambda answer: len(answer["files"]) == 2
    )
    assert answer["files"] == files

    # A change of a consumer does not upload a script.
    configure(project, line, queueConsumers=[{**JOBS, "batchSize": 50}])
    assert list_changes(project) == {
        "flowflare-shop-jobs-queue-consumer": "update",
        "flowflare-shop-failed-queue-consumer": "delete",
    }
    queues = project.account.get("/queues")
    [consumer] = [consumer for queue in queues for consumer in queue["consumers"]]
    assert consumer["settings"]["batch_size"] == 50

    with pytest.raises(UpdateFailed, match="because it holds objects"):
        project.open_stack().destroy()
    assert STORES[2] in project.account.list_stores()


def test_a_bucket_can_be_destroyed_after_it_is_emptied(project: Project) -> None:
    configure(project)
    project.open_stack().up()
    url = project.account.get("/workers/scripts/local-flowflare-shop/subdomain")["url"]
    httpx.post(url, json={"id": "1"}, timeout=PATIENCE).raise_for_status()
    wait_until(lambda: httpx.get(url, timeout=PATIENCE).json()["files"])

    assert httpx.delete(url, timeout=PATIENCE).json()["files"] == []
    project.open_stack().destroy()
    assert project.account.list_stores() == []
    assert project.account.is_empty()


def test_a_preview_names_resources_of_the_program_that_the_embedded_engine_cannot_create(
    project: Project,
) -> None:
    program = project.root / "infra/__main__.py"
    record = 'pulumi.CustomResource("cloudflare:index/dnsRecord:DnsRecord", "www", {"type": "A"})'
    program.write_text(f"{program.read_text()}\n{record}\n")

    preview = project.flowflare("preview")
    assert preview.returncode == 1
    output = preview.stdout + preview.stderr
    assert "the embedded engine cannot make a cloudflare:index/dnsRecord:DnsRecord" in output
    assert "Pulumi CLI: remove flowflare:engine" in output
    assert project.account.list_requests() == []
