"""Sources and configurations of Workers that several stories deploy."""

import json
from typing import Any

from tests.conformance.rows import Call

DATE = "2026-11-01"
HELLO = 'export default { fetch: () => new Response("hello") };'
VERSIONED = 'export default { fetch: (_, env) => new Response("two " + (env.S ?? "")) };'
EVERYTHING = """
import { DurableObject, WorkflowEntrypoint, WorkerEntrypoint } from "cloudflare:workers";
export class Counter extends DurableObject { value() { return 7; } }
export class Flow extends WorkflowEntrypoint { async run() { return 1; } }
export class Named extends WorkerEntrypoint { word() { return "rpc"; } }
export default {
  async fetch(request, env) {
    const rows = (await env.DB.prepare("SELECT 3 AS a").all()).results;
    await env.KV.put("k", "kv"); await env.BUCKET.put("o", "r2");
    const counter = env.COUNTER.get(env.COUNTER.idFromName("a"));
    return new Response([rows[0].a, await env.KV.get("k"),
      await (await env.BUCKET.get("o")).text(), await counter.value(), env.WORD,
      env.OBJECT.deep].join(" "));
  },
  async queue() {},
  async scheduled() {},
};
"""
FLOW = """
import { WorkflowEntrypoint } from "cloudflare:workers";
export class Flow extends WorkflowEntrypoint {
  async run(event, step) {
    const first = await step.do("first", async () => "one");
    const sent = await step.waitForEvent("wait", { type: "go", timeout: "1 hour" });
    return { first, sent: sent.payload };
  }
}
export default { fetch: () => new Response("flow") };
"""
MODULE = {"main_module": "worker.js", "compatibility_date": DATE}


def config(name: str, **more: Any) -> str:
    """Return the text of a wrangler.json for the Worker in `index.js`."""
    return json.dumps(
        {"name": name, "main": "index.js", "compatibility_date": DATE, "workers_dev": True} | more
    )


def upload(name: str, source: str = HELLO, **metadata: Any) -> Call:
    """Return the call that uploads a script."""
    return Call(f"PUT /workers/scripts/{name}", MODULE | metadata, script=source)


DATABASE = Call("POST /d1/database", {"name": "db"}, save={"db": "uuid"})
NAMESPACE = Call("POST /storage/kv/namespaces", {"title": "ns"}, save={"kv": "id"})
BUCKET = Call("POST /r2/buckets", {"name": "abucket"})
QUEUE = Call("POST /queues", {"queue_name": "q"}, save={"queue": "queue_id"})
SUBSCRIPTIONS = "/event_subscriptions/subscriptions"


def subscription(name: str, workflow: str) -> dict[str, Any]:
    """Return a subscription of the queue `{queue}` to a Workflow."""
    return {
        "name": name,
        "source": {"type": "workflows.workflow", "workflow_name": workflow},
        "destination": {"type": "queues.queue", "queue_id": "{queue}"},
        "events": ["instance.queued"],
    }


#: A Workflow without a subscription, and another one with the subscription `other`.
SUBSCRIBED = (
    upload("app", FLOW),
    Call("PUT /workflows/flow", {"class_name": "Flow", "script_name": "app"}),
    Call("PUT /workflows/other", {"class_name": "Flow", "script_name": "app"}),
    Call(f"POST {SUBSCRIPTIONS}", subscription("other", "other"), save={"subscription": "id"}),
)
ZONE = Call(
    "POST /client/v4/zones",
    {"name": "{account}.example", "account": {"id": "{account}"}},
    save={"zone": "id"},
)
