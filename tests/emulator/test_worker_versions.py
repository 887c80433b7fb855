"""Workers below `workers/workers`: the provider's requests converge, the SDK reads every answer."""

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cloudflare import Cloudflare

from tests.emulator.emulated import ESM, HELLO, Account, durable_object, get, new_sqlite, request
from tests.emulator.test_wrangler import run_wrangler
from tests.support.provider_replay import Kind, Resource, replay

pytestmark = pytest.mark.workerd

# Source: `resource.go` and `model.go` of `worker`, `worker_version` and `workers_deployment` in the
# Terraform provider 5.22; the configurations are those of its `testdata` folders.
WORKER = Kind(
    create="POST /workers/workers",
    read="GET /workers/workers/{id}",
    update="PUT /workers/workers/{id}",
    delete="DELETE /workers/workers/{id}",
)
DEFAULTS = {
    "logpush": False,
    "tags": [],
    "tail_consumers": [],
    "subdomain": {"enabled": False, "previews_enabled": False},
}
OBSERVABILITY = {
    "enabled": False,
    "head_sampling_rate": 1,
    "logs": {"enabled": False, "head_sampling_rate": 1},
}
TRACES = {"enabled": True, "head_sampling_rate": 1, "traces": {"enabled": False}}


def version_of(worker: str) -> Kind:
    """Return the requests for versions of a Worker. The provider does not delete versions."""
    path = f"/workers/workers/{worker}/versions"
    return Kind(
        create=f"POST {path}",
        read=f"GET {path}/{{id}}?include=modules",
        unread=frozenset({"assets", "bindings.text"}),
        optional=frozenset(
            {
                "bindings",
                "compatibility_date",
                "containers",
                "main_module",
                "migrations",
                "modules",
                "package_dependencies",
                "placement",
            }
        ),
    )


def deployment_of(script: str) -> Kind:
    path = f"/workers/scripts/{script}/deployments"
    return Kind(create=f"POST {path}", read=f"GET {path}/{{id}}")


def module(source: str = HELLO) -> dict[str, str]:
    content = base64.b64encode(source.encode()).decode()
    return {"name": "index.js", "content_type": ESM, "content_base64": content}


def code(source: str = HELLO, **others: Any) -> dict[str, Any]:
    return {"main_module": "index.js", "modules": [module(source)], **others}


@pytest.fixture
def sdk(account: Account) -> Iterator[Cloudflare]:
    running = account.running
    with Cloudflare(
        api_token=running.token,
        base_url=running.base_url,
        max_retries=0,
        _strict_response_validation=True,
    ) as client:
        yield client


@pytest.mark.parametrize(
    ("configured", "then"),
    [
        ({**DEFAULTS}, {**DEFAULTS, "tags": ["environment=production"]}),
        (
            {"subdomain": {"enabled": True, "previews_enabled": True}},
            {"subdomain": {"enabled": True, "previews_enabled": False}},
        ),
        ({"observability": OBSERVABILITY}, {"observability": TRACES}),
        ({"tail_consumers": [{"name": "t"}]}, {"logpush": True}),
    ],
    ids=["basic", "subdomain", "observability", "consumers"],
)
def test_a_worker_converges(account: Account, configured: Any, then: Any) -> None:
    replay(account, WORKER, {"name": "w", **configured}, then={"name": "w", **then})


def test_versions_and_a_deployment_converge(account: Account) -> None:
    worker = Resource(account, WORKER)
    identity = worker.create({"name": "w"})["id"]
    kind = version_of(identity)
    first = Resource(account, kind)
    version = first.create(code())
    first.expect_empty_plan()
    assert account.call("GET", "/workers/scripts/w/deployments") == {"deployments": []}
    deployment = Resource(account, deployment_of("w"))
    shares = [{"version_id": version["id"], "percentage": 100}]
    deployment.create({"strategy": "percentage", "versions": shares})
    deployment.expect_empty_plan()
    assert get(account.enable("w")).text == "hello"
    database = account.database()
    title = {"title": "t"}
    namespace = account.call("POST", "/storage/kv/namespaces", json=title)["id"]
    bound = [
        {"name": "DB1", "type": "d1", "id": database},
        {"name": "KV1", "type": "kv_namespace", "namespace_id": namespace},
        {"name": "PLAIN_TEXT_VAR", "type": "plain_text", "text": "plain-text-value"},
        {"name": "VERSION_METADATA", "type": "version_metadata"},
    ]
    message = {"workers/message": "Test import with annotations"}
    replay(
        account,
        kind,
        code(
            bindings=bound,
            annotations=message,
            compatibility_date="2026-01-01",
            placement={"mode": "smart"},
        ),
    )
    account.call("PUT", f"/workers/workers/{identity}", json={"name": "w"})
    deployment.expect_empty_plan()
    worker.destroy()


def test_a_version_may_have_only_assets(account: Account) -> None:
    text = b"<h1>home</h1>"
    name = hashlib.sha256(text).hexdigest()[:32]
    manifest = {"/index.html": {"hash": name, "size": len(text)}}
    identity = account.call("POST", "/workers/workers", json={"name": "w"})["id"]
    begun = account.call(
        "POST", "/workers/scripts/w/assets-upload-session", json={"manifest": manifest}
    )
    done = request(
        "POST",
        f"{account.running.base_url}/accounts/{account.id}/workers/assets/upload?base64=true",
        files={name: (name, base64.b64encode(text), "text/html")},
        headers={"Authorization": f"Bearer {begun['jwt']}"},
    ).json()["result"]
    kind = version_of(identity)
    config = {"not_found_handling": "single-page-application"}
    assets = {"jwt": done["jwt"], "config": config}
    replay(account, kind, {"assets": assets})
    deployed = account.call(
        "POST", "/workers/workers/w/versions?deploy=true", json={"assets": assets}
    )
    assert "modules" not in deployed
    assert deployed["assets"]["config"]["not_found_handling"] == "single-page-application"
    url = account.enable("w")
    assert get(f"{url}/any/path").text == text.decode()
    # The provider's configuration with code and the assets' configuration, but without files.
    replay(account, kind, code(assets={"config": {**config, "run_worker_first": ["/api/v1/*"]}}))


def test_the_sdk_reads_every_answer(account: Account, sdk: Cloudflare) -> None:
    workers, ours = sdk.workers.beta.workers, account.id
    worker = workers.create(account_id=ours, name="w", tags=["a"], subdomain={"enabled": True})
    assert worker.deployed_on is None
    sent: Any = code(bindings=[{"name": "S", "type": "secret_text", "text": "x"}])
    version = workers.versions.create(worker.id, account_id=ours, deploy=True, **sent)
    read = workers.versions.get(version.id, account_id=ours, worker_id="w", include="modules")
    assert read.modules is not None
    assert base64.b64decode(read.modules[0].content_base64).decode() == HELLO
    second = workers.versions.create("w", account_id=ours, **sent)
    assert [item.number for item in workers.versions.list("w", account_id=ours)] == [2, 1]
    workers.versions.delete(second.id, account_id=ours, worker_id="w")
    assert [item.number for item in workers.versions.list("w", account_id=ours)] == [1]
    given: Any = {"observability": {}, "subdomain": {}, "tail_consumers": []}
    edited = workers.edit("w", account_id=ours, name="w", logpush=True, tags=["b"], **given)
    assert (edited.logpush, edited.tags, edited.subdomain.enabled) == (True, ["b"], True)
    updated = workers.update("w", account_id=ours, name="w")
    assert (updated.logpush, updated.tags, updated.subdomain.enabled) == (False, [], False)
    assert [item.name for item in workers.list(account_id=ours)] == ["w"]
    workers.delete("w", account_id=ours)
    assert list(workers.list(account_id=ours)) == []


def test_references_name_what_uses_a_worker(account: Account, sdk: Cloudflare) -> None:
    source = (
        'import { DurableObject } from "cloudflare:workers";\n'
        "export class Counter extends DurableObject {}\n"
        "export default { fetch: () => new Response('x'), queue() {} };"
    )
    account.put("used", source, migrations=new_sqlite("Counter"))
    service = {"type": "service", "name": "USED", "service": "used"}
    account.put("user", bindings=[service, durable_object("C", "Counter", "used")])
    queue = account.call("POST", "/queues", json={"queue_name": "q"})["queue_id"]
    consumer = {"type": "worker", "script_name": "used"}
    account.call("POST", f"/queues/{queue}/consumers", json=consumer)
    domain = {"hostname": "a.example.com", "service": "used", "environment": "production"}
    account.call("PUT", "/workers/domains", json=domain | {"zone_id": "8" * 32})
    found = sdk.workers.beta.workers.get("used", account_id=account.id)
    user = sdk.workers.beta.workers.get("user", account_id=account.id)
    assert [(item.id, item.name) for item in found.references.workers] == [(user.id, "user")]
    assert [item.worker_id for item in found.references.durable_objects] == [user.id]
    assert [item.queue_name for item in found.references.queues] == ["q"]
    assert [item.hostname for item in found.references.domains] == ["a.example.com"]
    assert found.deployed_on is not None


def test_what_a_worker_refuses(account: Account) -> None:
    account.call("POST", "/workers/workers", json={"name": "w"})
    path = "/workers/workers/w/versions"
    body = {"env": {}}
    refused = [
        account.expect_refusal("POST", "/workers/workers", json={"name": "w"}),
        account.expect_refusal("PUT", "/workers/workers/w", json={"name": "other"}),
        account.expect_refusal("PATCH", f"{path}/latest", json=body),
        account.expect_refusal("GET", "/workers/workers/unknown"),
        account.expect_refusal("POST", path, json=code() | {"modules": [{"name": "index.js"}]}),
    ]
    found = [(item.status, item.errors[0][0]) for item in refused]
    assert found == [(409, 10001), (400, 10001), (404, 10222), (404, 10007), (400, 10001)]
    version = account.call("POST", f"{path}?deploy=true", json=code())["id"]
    refusal = account.expect_refusal("DELETE", f"{path}/{version}")
    assert (refusal.status, refusal.errors[0][0]) == (400, 10001)


def test_wrangler_changes_secrets_of_versions(account: Account, tmp_path: Path) -> None:
    source = "export default { fetch: (_, env) => Response.json([env.A ?? null, env.B ?? null]) };"
    config = {"name": "w", "main": "index.js", "compatibility_date": "2026-11-01"}
    (tmp_path / "wrangler.json").write_text(json.dumps(config))
    (tmp_path / "index.js").write_text(source)
    (tmp_path / "bulk.json").write_text(json.dumps({"A": "1", "B": "2"}))
    account.put("w", source)
    url = account.enable("w")
    assert "Created version" in run_wrangler(
        tmp_path, account, "versions", "secret", "bulk", "bulk.json", "--message", "two secrets"
    )
    run_wrangler(tmp_path, account, "versions", "secret", "delete", "A")
    latest = account.call("GET", "/workers/workers/w/versions/latest")
    assert latest["bindings"] == [{"name": "B", "type": "secret_text"}]
    assert get(url).json() == [None, None]
    share = {"version_id": latest["id"], "percentage": 100}
    body = {"strategy": "percentage", "versions": [share]}
    account.call("POST", "/workers/scripts/w/deployments", json=body)
    assert get(url).json() == [None, "2"]
    assert "B" in run_wrangler(tmp_path, account, "versions", "secret", "list")
