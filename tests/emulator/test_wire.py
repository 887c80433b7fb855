"""The lines between Python and the Node child are as `wire.schema.json` says."""

import json
import os
import shutil
import signal
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, suppress
from copy import deepcopy
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from flowflare.emulator import process
from flowflare.emulator.process import Running, Settings
from flowflare.errors import EmulatorError
from tests.emulator.emulated import (
    NODE,
    NODE_MODULES,
    Account,
    durable_object,
    get,
    new_sqlite,
    upload,
)
from tests.emulator.test_process import children, quiet, same_account
from tests.house.generate_wire_types import SCHEMA
from tests.support.waiting import wait_until

pytestmark = pytest.mark.workerd

WIRE: dict[str, Any] = json.loads(SCHEMA.read_text("utf-8"))
SIDES = ("Requests", "Answers")
TEE = """\
#!/bin/sh
{tee} {folder}/$$.requests | {node} "$@" | {tee} {folder}/$$.answers
"""
WORKER = """
import data from "./data.json";
import text from "./text.txt";
import { DurableObject, WorkerEntrypoint, WorkflowEntrypoint } from "cloudflare:workers";
export class Counter extends DurableObject {
  async add() { await this.ctx.storage.put("n", 1); return this.ctx.id.toString(); }
}
export class Spare extends DurableObject {}
export class Named extends WorkerEntrypoint { greet() { return "named"; } }
export class Flow extends WorkflowEntrypoint {
  async run(event, step) {
    await step.do("first", async () => 1);
    await step.sleep("nap", 3000);
    return event.workflowName;
  }
}
export default {
  async fetch(request, env) {
    const id = new URL(request.url).searchParams.get("id");
    if (id) return Response.json(await (await env.FLOW.get(id)).status());
    await env.QUEUE.send("message");
    return Response.json({
      data, text,
      named: await env.NAMED.greet(),
      object: await env.COUNTER.get(env.COUNTER.idFromName("one")).add(),
      instance: (await env.FLOW.create()).id,
    });
  },
  async queue(batch) { batch.retryAll(); },
  async scheduled() {},
};
"""
#: Starts in a probe, where no binding exists, and nowhere else.
FAULTY = """
import { env } from "cloudflare:workers";
if (env.TEXT) throw new Error("starts nowhere");
export default { fetch: () => new Response() };
"""


class Wire:
    """What one Node child after the other read and wrote, recorded by a program around Node."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.node = folder / "node"
        self.node.write_text(TEE.format(tee=shutil.which("tee"), folder=folder, node=NODE))
        self.node.chmod(0o755)

    def start(self, data: Path, node_modules: Path = NODE_MODULES) -> Running:
        return process.start(Settings(data, 0, self.node, node_modules), quiet)

    def read(self) -> dict[str, list[Any]]:
        """Return everything that was said, by the place in the schema that describes it."""
        said: defaultdict[str, list[Any]] = defaultdict(list)
        for child in self._folder.glob("*.requests"):
            asked: dict[int, str] = {}
            for line in child.read_bytes().splitlines():
                number, text = line.split(b" ", 1)
                request = json.loads(text)
                asked[int(number)] = request.pop("op")
                said[f"Requests/properties/{asked[int(number)]}"].append(request)
            for line in child.with_suffix(".answers").read_bytes().splitlines():
                message = json.loads(line)
                if "id" in message:
                    assert message.keys() == {"id", "ok"}, message
                    said[f"Answers/properties/{asked[message['id']]}"].append(message["ok"])
                else:
                    said["Event"].append(message)
        return said


def describe_recording(wire: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a recording, which has each operation and events."""
    parts = wire["$defs"]
    places = [
        "Event",
        *(f"{side}/properties/{name}" for side in SIDES for name in parts[side]["properties"]),
    ]
    lists = {
        place: {"type": "array", "items": {"$ref": f"#/$defs/{place}"}, "minItems": 1}
        for place in places
    }
    return {"$defs": parts, "properties": lists, "required": places, "additionalProperties": False}


def leave_out_each_part(wire: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Make a schema without each property, and without each alternative, with a name for it."""
    for path in list_parts(wire["$defs"]):
        without = deepcopy(wire)
        *parents, last = path
        parent: Any = reduce(getitem, parents, without["$defs"])
        if isinstance(parent, list):
            parent[last] = False
        else:
            del parent[last]
            required = reduce(getitem, parents[:-1], without["$defs"])["required"]
            if last in required:
                required.remove(last)
        yield "/".join(map(str, path)), without


def list_parts(schema: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """List the paths of the properties and alternatives of closed objects, at any depth."""
    for key, part in schema.items() if isinstance(schema, dict) else ():
        inner = part if isinstance(part, dict) else dict(enumerate(part if key == "oneOf" else ()))
        for name in inner:
            closed = key == "properties" and schema.get("additionalProperties") is False
            if path not in [(side,) for side in SIDES] and (closed or key == "oneOf"):
                yield (*path, key, name)
        yield from list_parts(inner, (*path, key))


@pytest.fixture
def wire(tmp_path: Path) -> Wire:
    folder = tmp_path / "wire"
    folder.mkdir()
    return Wire(folder)


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"
    process.stop(tmp_path / "data")


def use_queue(account: Account) -> None:
    """Send every message about a queue."""
    queue = account.call("POST", "/queues", json={"queue_name": "pulled"})["queue_id"]
    path = f"/queues/{queue}"
    consumer = {"type": "http_pull", "dead_letter_queue": "pulled-dead"}
    account.call("POST", f"{path}/consumers", json=consumer)
    for _ in range(2):
        account.call("POST", f"{path}/messages", json={"body": 1, "delay_seconds": 0})
    leases = [
        message["lease_id"]
        for message in account.call("POST", f"{path}/messages/pull", json={})["messages"]
    ]
    body = {"acks": [{"lease_id": leases[0]}], "retries": [{"lease_id": leases[1]}]}
    account.call("POST", f"{path}/messages/ack", json=body)
    account.call("GET", f"{path}/metrics")
    account.call("POST", f"{path}/purge", json={"delete_messages_permanently": True})


def run_everything(account: Account) -> str:
    """Make a Worker with every kind of binding, use all of it, and return its address."""
    use_queue(account)
    database = account.database()
    account.query(database, "SELECT ? AS a, ? AS b, ? AS c", "text", 1.5, None)
    assert account.expect_refusal("POST", f"/d1/database/{database}/query", json={"sql": "SELECT"})
    account.call("GET", f"/d1/database/{database}/time_travel/bookmark")
    export = {"output_format": "polling"}
    begun = account.call("POST", f"/d1/database/{database}/export", json=export)
    export["current_bookmark"] = begun["at_bookmark"]
    account.call("POST", f"/d1/database/{database}/export", json=export)

    namespace = account.call("POST", "/storage/kv/namespaces", json={"title": "t"})["id"]
    account.call("POST", "/r2/buckets", json={"name": "files"})
    account.call("POST", "/r2/buckets", json={"name": "unused"})
    account.call("DELETE", "/r2/buckets/unused/objects/none")
    queue = account.call("POST", "/queues", json={"queue_name": "jobs"})["queue_id"]
    store = account.call("POST", "/secrets_store/stores", json={"name": "main"})["id"]
    secret = {"name": "key", "value": "v", "scopes": ["workers"]}
    account.call("POST", f"/secrets_store/stores/{store}/secrets", json=[secret])
    kept = {"type": "secrets_store_secret", "store_id": store, "secret_name": "key"}
    rate = {"limit": 1, "period": 60}
    workflow = {"script_name": "app", "class_name": "Flow"}
    bindings: list[dict[str, Any]] = [
        {"type": "plain_text", "name": "TEXT", "text": "plain"},
        {"type": "json", "name": "JSON", "json": {"list": [1, None, True]}},
        {"type": "d1", "name": "DB", "id": database},
        {"type": "kv_namespace", "name": "KV", "namespace_id": namespace},
        {"type": "r2_bucket", "name": "FILES", "bucket_name": "files"},
        {"type": "queue", "name": "QUEUE", "queue_name": "jobs"},
        {"name": "KEPT", **kept},
        {"type": "analytics_engine", "name": "EVENTS", "dataset": "events"},
        {"type": "ratelimit", "name": "LIMIT", "namespace_id": "1", "simple": rate},
        {"type": "version_metadata", "name": "VERSION"},
        {"type": "workflow", "name": "FLOW", "workflow_name": "orders", **workflow},
        durable_object("COUNTER", "Counter"),
    ]
    migrations = new_sqlite("Counter", "Spare")
    files = [
        *upload(WORKER, bindings=bindings, migrations=migrations),
        ("data.json", ("data.json", '{"n": 1}', "application/json")),
        ("text.txt", ("text.txt", "text", "text/plain")),
        ("worker.js.map", ("worker.js.map", "{}", "application/source-map")),
        ("bytes.bin", ("bytes.bin", "bytes", "application/octet-stream")),
    ]
    account.call("PUT", "/workers/scripts/app", files=files)
    named = {"type": "service", "name": "NAMED", "service": "app", "entrypoint": "Named"}
    account.call(
        "PUT",
        "/workers/scripts/app",
        files=[*upload(WORKER, bindings=[*bindings, named]), *files[2:]],
    )
    account.call("PUT", "/workflows/orders", json=workflow)
    subscribe(account, queue)
    session = "/workers/scripts/site/assets-upload-session"
    jwt = account.call("POST", session, json={"manifest": {}})["jwt"]
    for first in (["/a"], True):
        account.put("site", assets={"jwt": jwt, "config": {"run_worker_first": first}})
    settings = {"max_retries": 0, "max_wait_time_ms": 0, "max_concurrency": 2}
    consumer = {"type": "worker", "script_name": "app", "settings": settings}
    account.call(
        "POST", f"/queues/{queue}/consumers", json={**consumer, "dead_letter_queue": "dead"}
    )
    header = {"key": "x", "query": "y"}
    names: list[dict[str, Any]] = [{key: ["a"]} for key in ("outcome", "method", "client_ip")]
    filters = [*names, {"sampling_rate": 0.5}, {"header": header}, {"query": "q"}]
    account.call("POST", "/workers/scripts/app/tails", json={"filters": filters})
    return account.enable("app")


def subscribe(account: Account, queue: str) -> None:
    """Subscribe a queue to all states of the Workflow `orders`."""
    states = ("queued", "started", "paused", "errored", "terminated", "completed")
    subscription = {
        "name": "states",
        "source": {"type": "workflows.workflow", "workflow_name": "orders"},
        "destination": {"type": "queues.queue", "queue_id": queue},
        "events": [f"instance.{state}" for state in states],
    }
    account.call("POST", "/event_subscriptions/subscriptions", json=subscription)


def test_every_message_is_as_the_schema_says_and_every_part_of_the_schema_is_sent(
    wire: Wire, data: Path, tmp_path: Path
) -> None:
    running = wire.start(data)
    account = Account(running)
    url = run_everything(account)
    answer = get(url).json()
    assert answer.items() >= {"data": {"n": 1}, "text": "text", "named": "named"}.items()
    (namespace, _) = account.call("GET", "/workers/durable_objects/namespaces")
    objects = f"/workers/durable_objects/namespaces/{namespace['id']}/objects"
    assert [found["id"] for found in account.call("GET", objects)] == [answer["object"]]
    account.call("PUT", "/workers/domains", json=domain("shop.example.com"))
    assert account.put_expecting_refusal("broken", "throw new Error('no')").status == 400
    account.put("faulty", FAULTY, bindings=[{"type": "plain_text", "name": "TEXT", "text": "x"}])
    assert "starts nowhere" in account.ask_control("POST", f"/settle?account={account.id}").text
    cron = {"account": account.id, "script": "app", "cron": "* * * * *"}
    account.control("POST", "/cron", json=cron)
    account.control("PUT", "/units", json={"loaded": 4, "idle_seconds": 2})
    account.control("PUT", "/distance", json={"account": account.id, "latency": "1ms"})
    assert account.control("GET", "/workers")["runtime"]["loaded"]
    account.call("DELETE", "/r2/buckets/unused")
    account.put("removed")
    account.call("DELETE", "/workers/scripts/removed")
    change_instance(account)
    running_instance = get(url).json()["instance"]
    for pid in children(running.pid):
        with suppress(OSError):  # a probe's workerd ends by itself
            if Path(f"/proc/{pid}/comm").read_text() == "workerd\n":
                os.kill(pid, signal.SIGKILL)
    wait_until(lambda: get(f"{account.root}/emulator/health").json()["crashes"])
    assert wait_until(lambda: read_output(url, running_instance)) == "orders"
    account.close()
    process.stop(data)

    with closing(sqlite3.connect(data / "emulator.sqlite")) as connection:
        connection.execute("UPDATE scripts SET bindings = 'NaN' WHERE name = 'faulty'")
        connection.commit()
    with same_account(wire.start(data), account.id) as found:
        assert "'faulty' cannot run" in found.ask_control("POST", "/settle").text
    with pytest.raises(EmulatorError, match="Cannot find module"):
        wire.start(tmp_path / "other", tmp_path)

    recording = wire.read()
    jsonschema_rs.validate(describe_recording(WIRE), recording)
    unsent = [
        name
        for name, without in leave_out_each_part(WIRE)
        if jsonschema_rs.is_valid(describe_recording(without), recording)
    ]
    assert unsent == []


def change_instance(account: Account) -> None:
    """Start an instance and change it in every way."""
    path = "/workflows/orders/instances"
    assert account.expect_refusal("GET", f"{path}/one").status == 404
    retention = {"success_retention": "1 day", "error_retention": 1000}
    account.call("POST", path, json={"instance_id": "one", "instance_retention": retention})
    for change in (
        {"status": "pause"},
        {"status": "resume"},
        {"status": "terminate", "rollback": True},
        {"status": "restart", "from": {"name": "first"}},
    ):
        account.call("PATCH", f"{path}/one/status", json=change)
    account.call("POST", f"{path}/one/events/unknown", json={"a": 1})
    assert [found["id"] for found in account.call("GET", path)].count("one") == 1
    account.call("DELETE", f"{path}/one")


def read_output(url: str, instance: str) -> Any:
    """Return what an instance returned; None while it runs or its workerd is not back yet."""
    response = get(url, params={"id": instance})
    return response.json().get("output") if response.status_code == 200 else None


def domain(hostname: str) -> dict[str, str]:
    return {
        "hostname": hostname,
        "service": "app",
        "environment": "production",
        "zone_id": "f" * 32,
    }
