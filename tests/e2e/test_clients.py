"""A client can have every setting and binding, and its removal leaves nothing."""

import json
import secrets
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Project
from tests.e2e.embedded import Cloudflare
from tests.support.waiting import PATIENCE
from tests.support.webassembly import ADD

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]

SOURCE = """
import { DurableObject } from "cloudflare:workers";
import { shout } from "shouting";
import add from "./add.wasm";

interface Env {
  CARTS: DurableObjectNamespace<Cart>;
  ARCHIVE: D1Database;
  CACHE: KVNamespace;
  PRICES: { small: number };
  MAIL_TOKEN: string;
  SESSION_KEY: string;
  WORKFLOW_SERVICE_RPC: unknown;
}

export class Cart extends DurableObject {
  add(item: string): string {
    return shout(item);
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const cart = env.CARTS.get(env.CARTS.idFromName("one"));
    await env.CACHE.put("key", "cached");
    const rows = await env.ARCHIVE.prepare("SELECT name FROM articles").all();
    return Response.json({
      path: new URL(request.url).pathname,
      shouted: await cart.add("book"),
      cached: await env.CACHE.get("key"),
      articles: rows.results,
      price: env.PRICES.small,
      token: env.MAIL_TOKEN.length,
      session: env.SESSION_KEY.length > 40,
      rpc: typeof env.WORKFLOW_SERVICE_RPC,
      sum: (new WebAssembly.Instance(add).exports.add as CallableFunction)(2, 3),
    });
  },
  scheduled() {},
};
"""


EXPECTED = {
    "shouted": "BOOK",
    "cached": "cached",
    "articles": [{"name": "book"}],
    "price": 1.5,
    "token": 7,
    "session": True,
    "rpc": "object",
    "sum": 5,
}


def prepare(project: Project) -> dict[str, Any]:
    """Write the source of a client `shop` with everything; return its fields."""
    folder = project.root / "worker_src/shop"
    (folder / "src").mkdir(parents=True)
    (folder / "src/index.ts").write_text(SOURCE)
    (folder / "src/add.wasm").write_bytes(ADD)
    package = folder / "node_modules/shouting"
    package.mkdir(parents=True)
    (package / "package.json").write_text('{"name": "shouting", "main": "index.js"}')
    (package / "index.js").write_text("exports.shout = (text) => text.toUpperCase();")
    (folder / "migrations").mkdir()
    migration = "CREATE TABLE articles (name TEXT); INSERT INTO articles VALUES ('book');"
    (folder / "migrations/0001_create_articles.sql").write_text(migration)
    cache = project.account.post("/storage/kv/namespaces", {"title": "cache"})["id"]
    zone, domain = secrets.token_hex(16), f"z{secrets.token_hex(6)}.example"
    return {
        "source": "worker_src/shop/src/index.ts",
        "rpc": True,
        "variables": {"PRICES": {"small": 1.5}},
        "secrets": {
            "MAIL_TOKEN": {"environment": "SHOP_MAIL_TOKEN"},
            "SESSION_KEY": {"generated": {}},
        },
        "bindings": {
            "CACHE": {"type": "kv_namespace", "namespace_id": cache},
            "LIMIT": {
                "type": "ratelimit",
                "namespace_id": "1",
                "simple": {"limit": 9, "period": 60},
            },
            "TOMORROW": {"type": "thing_of_tomorrow", "deep": {"number": 1}},
        },
        "databases": {"ARCHIVE": {"migrations": "worker_src/shop/migrations"}},
        "durableObjects": {"CARTS": {"className": "Cart"}},
        "classMigrations": [{"tag": "v1", "newSqliteClasses": ["Cart"]}],
        "routes": [{"pattern": f"{domain}/shop/*", "zoneId": zone}],
        "domains": [{"hostname": f"shop.{domain}", "zoneId": zone}],
        "crons": ["0 3 * * *"],
        "limits": {"cpuMs": 50},
        "placement": {"mode": "smart"},
        "observability": {"headSamplingRate": 0.5},
        "compatibilityFlags": ["nodejs_compat"],
    }


def prepare_desk(project: Project) -> dict[str, Any]:
    """Write the source of a client `desk` that only answers; return its fields."""
    source = project.root / "worker_src/desk.js"
    source.write_text('export default { fetch: () => new Response("desk") };')
    return {"source": "worker_src/desk.js"}


def configure(project: Project, clients: dict[str, Any], before: str) -> str:
    """Write the clients and return the line; `before` is the line to replace."""
    line = f"flowflare:clients: {json.dumps(clients)}"
    if before:
        project.edit("Pulumi.local.yaml", before, line)
    else:
        project.configure(line)
    return line


def get(project: Project, cloudflare: Cloudflare, host: str, path: str) -> httpx.Response:
    project.account.settle()
    url = f"http://127.0.0.1:{cloudflare.port}{path}"
    return httpx.get(url, headers={"Host": host}, timeout=PATIENCE).raise_for_status()


def list_bindings(project: Project) -> dict[str, Any]:
    settings = project.account.get("/workers/scripts/local-flowflare-shop/settings")
    return {binding["name"]: binding for binding in settings["bindings"]}


def test_a_client_has_everything_and_leaves_nothing(
    project: Project, cloudflare: Cloudflare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_MAIL_TOKEN", "a-token")
    shop = prepare(project)
    clients = configure(project, {"shop": shop, "desk": prepare_desk(project)}, "")
    project.open_stack().up()
    zone = shop["routes"][0]["pattern"].partition("/")[0]
    assert get(project, cloudflare, zone, "/shop/x").json() == EXPECTED | {"path": "/shop/x"}
    assert get(project, cloudflare, f"shop.{zone}", "/").json() == EXPECTED | {"path": "/"}

    bound = list_bindings(project)
    tomorrow = {"name": "TOMORROW", **shop["bindings"]["TOMORROW"]}
    assert bound["TOMORROW"] == tomorrow
    last = project.account.find_last_request()
    assert project.open_stack().up().changed == 0
    # Only the namespace that the client names by its ID, which no stack makes, is looked up.
    requests = project.account.list_requests(since=last)
    assert [(call["method"], call["path"].split("/")[-3]) for call in requests] == [("GET", "kv")]

    shop["bindings"]["TOMORROW"]["type"] = "thing_of_the_day_after"
    clients = configure(project, {"shop": shop, "desk": prepare_desk(project)}, clients)
    names = [step.name for step in project.open_stack().up().steps if step.op != "same"]
    assert names == ["flowflare-shop-bindings"]
    changed = {"TOMORROW": tomorrow | {"type": "thing_of_the_day_after"}}
    assert list_bindings(project) == bound | changed

    # Another client takes over route and domain: the same resources, which are updated.
    moved = {key: shop.pop(key) for key in ("routes", "domains")}
    configure(project, {"shop": shop, "desk": prepare_desk(project) | moved}, clients)
    ops = {step.name: step.op for step in project.open_stack().up().steps}
    assert ops[f"flowflare-route-{zone}/shop/*"] == "update"
    assert ops[f"flowflare-domain-shop.{zone}"] == "replace"
    assert get(project, cloudflare, zone, "/shop/x").text == "desk"
    assert get(project, cloudflare, f"shop.{zone}", "/").text == "desk"

    project.open_stack().destroy()
    assert project.account.is_empty()
