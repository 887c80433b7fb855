"""A client's bindings create stores and a Hyperdrive configuration, which are deleted with it."""

import json
from typing import Any

import httpx
import pytest

from flowflare.errors import UpdateFailed
from tests.e2e.conftest import Project
from tests.support.own_stores import make_bindings
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
    if (request.method === "POST") await env.ORDERS.send(await request.json());
    const { objects } = await env.FILES.list();
    return Response.json({
      files: objects.map(({ key }) => key),
      count: Number(await env.CACHE.get("orders")),
    });
  },
  async queue(batch, env) {
    for (const { body } of batch.messages) {
      if (body.broken && batch.queue.endsWith("-orders")) throw new Error("a broken order");
      await env.FILES.put(`${batch.queue}/${body.id}`, JSON.stringify(body));
    }
    await env.CACHE.put("orders", String(Number(await env.CACHE.get("orders")) + 1));
  },
};
"""
JOBS: dict[str, Any] = {
    "queue": "ORDERS",
    "deadLetterQueue": "FAILED",
    "maxRetries": 0,
    "maxWaitTimeMs": 0,
}
ORIGIN: dict[str, Any] = {
    "scheme": "postgres",
    "host": "db.example.com",
    "port": 5432,
    "database": "shop",
    "user": "shop",
    "password": {"file": "pg-password"},
}
PASSWORD = "canary-of-the-first-password"
SHOP: dict[str, Any] = {
    "source": "worker_src/shop.js",
    "bindings": {
        **make_bindings(),
        "FAILED": {"queue": {}},
        "PG": {"hyperdrive": {"origin": ORIGIN, "caching": {"disabled": True}}},
    },
    "queueConsumers": [JOBS, {"queue": "FAILED", "maxWaitTimeMs": 0}],
}
STORES = {name: f"local-flowflare-shop-{name.lower()}" for name in sorted(SHOP["bindings"])}


def configure(project: Project, before: str = "", **changes: Any) -> str:
    """Write the client with some fields changed; `before` is the line to replace."""
    line = f"flowflare:clients: {json.dumps({'shop': SHOP | changes})}"
    if before:
        project.edit("Pulumi.local.yaml", before, line)
    else:
        (project.root / "worker_src/shop.js").write_text(SOURCE)
        set_password(project, PASSWORD)
        project.configure(line)
    return line


def set_password(project: Project, password: str) -> None:
    file = project.root / "pg-password"
    file.write_text(password)
    file.chmod(0o600)


def run(project: Project, *words: str) -> str:
    """Run a command; no output has the password, old or new."""
    result = project.flowflare(*words)
    output = result.stdout + result.stderr
    assert result.returncode == 0, output
    assert "canary" not in output
    return output


def list_changes(project: Project) -> dict[str, str]:
    return {step.name: step.op for step in project.open_stack().up().steps if step.op != "same"}


def test_stores_are_created_used_changed_and_deleted_with_their_client(project: Project) -> None:
    line = configure(project)
    project.open_stack().up()
    assert project.account.list_stores() == list(STORES.values())
    last = project.account.find_last_request()
    assert project.open_stack().up().changed == 0
    assert project.account.list_requests(since=last) == []

    url = project.account.get("/workers/scripts/local-flowflare-shop/subdomain")["url"]
    for order in ({"id": "1"}, {"id": "2", "broken": True}):
        httpx.post(url, json=order, timeout=PATIENCE).raise_for_status()
    files = [f"{STORES['FAILED']}/2", f"{STORES['ORDERS']}/1"]
    answer = wait_until(
        lambda: httpx.get(url, timeout=PATIENCE).json(), lambda answer: len(answer["files"]) == 2
    )
    assert answer["files"] == files

    # A change of a consumer does not upload a script.
    configure(project, line, queueConsumers=[{**JOBS, "batchSize": 50}])
    assert list_changes(project) == {
        "flowflare-shop-orders-queue-consumer": "update",
        "flowflare-shop-failed-queue-consumer": "delete",
    }
    queues = project.account.get("/queues")
    [consumer] = [consumer for queue in queues for consumer in queue["consumers"]]
    assert consumer["settings"]["batch_size"] == 50

    with pytest.raises(UpdateFailed, match="because it holds objects"):
        project.open_stack().destroy()
    assert STORES["FILES"] in project.account.list_stores()


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
    assert "the embedded engine cannot create a cloudflare:index/dnsRecord:DnsRecord" in output
    assert "Pulumi CLI: remove flowflare:engine" in output
    assert project.account.list_requests() == []


@pytest.mark.long
def test_a_password_is_sent_to_hyperdrive_and_appears_nowhere(project: Project) -> None:
    line = configure(project, queueConsumers=[], bindings={"PG": SHOP["bindings"]["PG"]})
    run(project, "preview", "--diff")
    run(project, "up", "--json")
    [made] = project.account.get("/hyperdrive/configs")
    assert made["name"] == STORES["PG"]
    assert made["caching"] == {"disabled": True}
    assert made["origin"] == {key: ORIGIN[key] for key in ORIGIN if key != "password"}
    settings = project.account.get("/workers/scripts/local-flowflare-shop/settings")
    assert {"type": "hyperdrive", "name": "PG", "id": made["id"]} in settings["bindings"]
    assert list_changes(project) == {}

    # A new password is sent with everything else of the configuration, and no script is uploaded.
    set_password(project, "canary-of-the-second-password")
    for words in (("--diff",), ("--json",)):
        assert "secret-pg-origin-password" in run(project, "preview", *words)
    last = project.account.find_last_request()
    run(project, "up")
    assert project.account.list_writes(last) == [f"PUT /hyperdrive/configs/{made['id']}"]

    # Drift sees what the API returns, and says what it does not see.
    found = run(project, "drift")
    assert "secrets of each Hyperdrive configuration are not compared" in found
    body = {"origin": {"host": "elsewhere.example.com", "port": 5432}}
    project.account.patch(f"/hyperdrive/configs/{made['id']}", body)
    assert "origin.host is elsewhere.example.com" in run(project, "drift")

    state = "".join(
        file.read_text()
        for file in (project.root / ".flowflare/state").rglob("*")
        if file.is_file()
    )
    assert STORES["PG"] in state
    assert "canary" not in state
    assert "canary" not in json.dumps(project.account.list_requests())

    # Without the setting, Cloudflare's default counts again.
    own = {"PG": {"hyperdrive": {"origin": ORIGIN}}}
    configure(project, line, queueConsumers=[], bindings=own)
    assert list_changes(project) == {"flowflare-shop-pg-hyperdrive": "update"}
    [made] = project.account.get("/hyperdrive/configs")
    assert made["caching"] == {"disabled": False}
    assert made["origin"]["host"] == "db.example.com"

    # Another stack of the same names adopts it, and assumes that the password is the program's.
    (project.root / ".flowflare/state").rename(project.root / "state-of-before")
    adopted = run(project, "adopt", "--names", "declared", "--new-api-key")
    assert STORES["PG"] in adopted
    assert "PG.origin.password" in adopted
    assert "flowflare-shop-pg-hyperdrive" not in list_changes(project)
    run(project, "destroy", "--yes")
    assert project.account.list_stores() == []
