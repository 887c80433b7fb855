"""Event subscriptions: a queue gets the states of a Workflow's instances, each once."""

import base64
import json
import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from cloudflare import APIStatusError, BadRequestError, Cloudflare, InternalServerError

from flowflare.emulator.codes import NOT_EMULATED
from flowflare.emulator.process import Running, find_running, start, stop
from tests.emulator.emulated import Account, get, settings
from tests.emulator.test_process import children
from tests.emulator.test_wrangler import run_wrangler
from tests.support.waiting import wait_until

pytestmark = pytest.mark.workerd

PATH = "/event_subscriptions/subscriptions"
EVENTS = ["queued", "started", "paused", "errored", "terminated", "completed"]
#: Starts instances by its binding, and stores the events that it receives.
WORKER = """
import { WorkflowEntrypoint } from "cloudflare:workers";
export class Flow extends WorkflowEntrypoint {
  async run(event, step) {
    await step.do("first", async () => 1);
    if (event.payload.busy) await step.do("busy", () => scheduler.wait(300_000));
    if (event.payload.nap) await step.sleep("nap", 500);
    if (event.payload.fail) throw new Error("no luck");
    if (event.payload.wait) await step.waitForEvent("go", { type: "go", timeout: "1 hour" });
    return "done";
  }
}
export default {
  async fetch(request, env) {
    const { followed, id, ...params } = Object.fromEntries(new URL(request.url).searchParams);
    if (followed) {
      using events = await (await env.FLOW.get(followed)).subscribe();
      const types = [];
      for (let next = await events.next(); !next.done; next = await events.next()) {
        types.push(next.value.type);
      }
      return Response.json(types);
    }
    if (id) return Response.json((await env.FLOW.create({ id, params })).id);
    return Response.json((await env.SEEN.get("events", "json")) ?? []);
  },
  async queue(batch, env) {
    const seen = (await env.SEEN.get("events", "json")) ?? [];
    await env.SEEN.put("events", JSON.stringify([...seen, ...batch.messages.map((m) => m.body)]));
  },
};
"""


class Subscribed:
    """An account with a Workflow, a queue and a Worker that consumes it."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.queue = account.call("POST", "/queues", json={"queue_name": "events"})["queue_id"]
        seen = account.call("POST", "/storage/kv/namespaces", json={"title": "seen"})["id"]
        flow = {"script_name": "app", "class_name": "Flow"}
        bindings = [
            {"type": "workflow", "name": "FLOW", "workflow_name": "orders", **flow},
            {"type": "kv_namespace", "name": "SEEN", "namespace_id": seen},
        ]
        account.put("app", WORKER, bindings=bindings)
        self.version = account.call("PUT", "/workflows/orders", json=flow)["version_id"]
        self.url = account.enable("app")

    def consume(self) -> None:
        consumer = {"type": "worker", "script_name": "app", "settings": {"max_wait_time_ms": 0}}
        self.account.call("POST", f"/queues/{self.queue}/consumers", json=consumer)

    def body(self, *events: str, **more: Any) -> dict[str, Any]:
        return {
            "name": "mirror",
            "source": {"type": "workflows.workflow", "workflow_name": "orders"},
            "destination": {"type": "queues.queue", "queue_id": self.queue},
            "events": [f"instance.{event}" for event in events or EVENTS],
            **more,
        }

    def subscribe(self, *events: str, **more: Any) -> Any:
        return self.account.call("POST", PATH, json=self.body(*events, **more))

    def start(self, instance: str, **params: Any) -> None:
        body = {"instance_id": instance, "params": params}
        self.account.call("POST", "/workflows/orders/instances", json=body)

    def change(self, instance: str, status: str) -> None:
        path = f"/workflows/orders/instances/{instance}/status"
        self.account.call("PATCH", path, json={"status": status})

    def wait(self, instance: str, status: str) -> None:
        path = f"/workflows/orders/instances/{instance}"
        wait_until(lambda: self.account.call("GET", path)["status"] == status)

    def wait_for_step(self, instance: str) -> None:
        """Wait until the second step of an instance runs."""
        path = f"/workflows/orders/instances/{instance}"
        wait_until(lambda: len(self.account.call("GET", path)["steps"]) > 1)

    def list_states(self, instance: str) -> list[str]:
        """List the states of an instance that the consumer received."""
        return [
            event["type"].removeprefix("cf.workflows.workflow.instance.")
            for event in get(self.url).json()
            if event["payload"]["instanceId"] == instance
        ]

    def wait_for(self, instance: str, *states: str) -> None:
        wait_until(lambda: self.list_states(instance), lambda found: len(found) >= len(states))
        assert self.list_states(instance) == list(states)

    def pull(self) -> list[dict[str, Any]]:
        """Return the events that wait in the queue, for a client that pulls them."""
        pulled = self.account.call(
            "POST", f"/queues/{self.queue}/messages/pull", json={"batch_size": 100}
        )
        return [json.loads(base64.b64decode(each["body"])) for each in pulled["messages"]]


@pytest.fixture
def story(account: Account) -> Subscribed:
    return Subscribed(account)


@pytest.fixture
def sdk(account: Account) -> Iterator[Cloudflare]:
    with Cloudflare(
        base_url=account.running.base_url,
        api_token=account.running.token,
        max_retries=0,
        _strict_response_validation=True,
    ) as client:
        yield client


def test_a_worker_gets_every_state_of_instances_from_a_binding_and_from_the_api(
    story: Subscribed,
) -> None:
    made = story.subscribe()
    story.consume()
    get(story.url, params={"id": "bound"})
    story.start("failed", fail=True)
    story.start("long", wait=True)
    story.wait_for("bound", "queued", "started", "completed")
    story.wait_for("failed", "queued", "started", "errored")
    story.wait("long", "waiting")
    story.change("long", "pause")
    story.wait("long", "paused")
    story.change("long", "resume")
    story.wait("long", "waiting")
    story.change("long", "terminate")
    story.change("long", "restart")
    begun = ["queued", "started", "paused", "started", "terminated", "queued", "started"]
    story.wait_for("long", *begun)

    [event] = [
        each
        for each in get(story.url).json()
        if each["type"] == "cf.workflows.workflow.instance.completed"
    ]
    time = event["metadata"].pop("eventTimestamp")
    assert made["created_at"][:23] <= time[:23]
    assert event == {
        "type": "cf.workflows.workflow.instance.completed",
        "source": {"type": "workflows.workflow", "workflowName": "orders"},
        "payload": {"versionId": story.version, "instanceId": "bound"},
        "metadata": {
            "accountId": story.account.id,
            "eventSubscriptionId": made["id"],
            "eventSchemaVersion": 1,
        },
    }


def test_what_the_emulator_did_not_see_before_it_was_killed_is_published_once(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    running = start(settings(data), lambda _: None)
    try:
        account = Account(running)
        story = Subscribed(account)
        story.subscribe()
        get(story.url, params={"id": "bound"})
        story.start("napping", nap=True)
        story.start("long", wait=True)
        story.wait("long", "waiting")
        story.start("pausing", busy=True)
        story.wait_for_step("pausing")
        story.change("pausing", "pause")
        node = children(running.pid)[0]
        os.kill(node, signal.SIGSTOP)  # workerd runs on
        wait_until(lambda: count_completed(data) == 2)
        os.killpg(node, signal.SIGKILL)
        os.kill(running.pid, signal.SIGKILL)
        wait_until(lambda: find_running(data) is None)
        again: Running = start(settings(data, running.port), lambda _: None)
        account.running = again
        story.wait("long", "waiting")
        story.change("long", "terminate")
        story.wait("pausing", "paused")
        story.consume()
        story.wait_for("pausing", "queued", "started", "paused")
        story.wait_for("bound", "queued", "started", "completed")
        story.wait_for("napping", "queued", "started", "completed")
        story.wait_for("long", "queued", "started", "terminated")
        account.close()
    finally:
        stop(data)


def count_completed(data: Path) -> int:
    """Count the instances whose own log says that they completed."""
    count = 0
    for file in (data / "runtime" / "workflows").glob("*/*.sqlite"):
        with closing(sqlite3.connect(file)) as database, suppress(sqlite3.OperationalError):
            sql = "SELECT count(*) FROM states WHERE event = 2"
            count += database.execute(sql).fetchone()[0]
    return count


def test_only_what_happens_while_it_is_enabled_is_published(story: Subscribed) -> None:
    account = story.account
    account.call("POST", f"/queues/{story.queue}/consumers", json={"type": "http_pull"})
    story.start("early")
    story.wait("early", "complete")
    made = story.subscribe("completed")
    path = f"{PATH}/{made['id']}"
    story.start("first")
    story.wait("first", "complete")
    account.call("PATCH", path, json={"enabled": False})
    story.start("unseen")
    story.wait("unseen", "complete")
    events = ["instance.queued", "instance.completed"]
    account.call("PATCH", path, json={"enabled": True, "events": events})
    story.start("second")
    story.wait("second", "complete")
    # Publishes what is pending, and deletes nothing else.
    deleted = account.call("DELETE", path)
    assert deleted["events"] == events
    story.start("late")
    story.wait("late", "complete")
    assert [
        (each["payload"]["instanceId"], each["type"].rpartition(".")[2]) for each in story.pull()
    ] == [("first", "completed"), ("second", "queued"), ("second", "completed")]
    assert account.call("GET", PATH) == []


def test_a_worker_follows_an_instance_to_its_end(story: Subscribed) -> None:
    get(story.url, params={"id": "one"})
    types = get(story.url, params={"followed": "one"}).json()
    assert types[0] == "workflow_queued"
    assert "step_completed" in types
    assert types[-1] == "workflow_completed"


def test_the_strict_sdk_creates_lists_changes_and_deletes_subscriptions(
    story: Subscribed, sdk: Cloudflare
) -> None:
    account = {"account_id": story.account.id}
    subscriptions = sdk.queues.subscriptions
    made = subscriptions.create(**account, **story.body("queued"))
    assert (made.name, made.enabled, made.events) == ("mirror", True, ["instance.queued"])
    assert made.source.to_dict() == {"type": "workflows.workflow", "workflow_name": "orders"}
    changed = subscriptions.update(made.id, **account, name="other", enabled=False)
    assert (changed.name, changed.enabled) == ("other", False)
    assert subscriptions.get(made.id, **account).to_dict() == changed.to_dict()
    page = subscriptions.list(**account, per_page=1, order="created_at", direction="desc")
    assert [each.id for each in page] == [made.id]
    assert subscriptions.delete(made.id, **account).id == made.id
    with pytest.raises(APIStatusError) as missing:
        subscriptions.get(made.id, **account)
    assert missing.value.status_code == 404


def test_what_cloudflare_refuses_is_refused_and_other_sources_are_not_emulated(
    story: Subscribed, sdk: Cloudflare
) -> None:
    story.subscribe()
    account, body = story.account, story.body()
    [text] = {message for _, message in account.expect_refusal("POST", PATH, json=body).errors}
    assert text == "We currently do not support multiple subscriptions on the same resource."
    assert account.expect_refusal("POST", PATH, json=body).status == 405
    workflow = {"type": "workflows.workflow", "workflow_name": "none"}
    queue = {"type": "queues.queue", "queue_id": "0" * 32}
    for change in ({"source": workflow}, {"destination": queue}):
        assert account.expect_refusal("POST", PATH, json={**body, **change}).status == 404
    for change in (
        {"events": []},
        {"events": ["instance.waiting"]},
        {"events": [{}]},
        {"name": 1},
        {"enabled": "yes"},
        {"source": {"type": "flurb"}},
        {"source": {"type": ["kv"]}},
        {"destination": None},
    ):
        refused = account.expect_refusal("POST", PATH, json={**body, **change})
        assert (refused.status, refused.errors[0][0]) == (400, 10001), change
    assert account.expect_refusal("GET", PATH, params={"per_page": 101}).status == 400
    with pytest.raises(InternalServerError) as other:
        sdk.queues.subscriptions.create(
            account_id=account.id,
            **{**body, "source": {"type": "kv"}, "events": ["namespace.created"]},
        )
    assert (other.value.status_code, other.value.errors[0].code) == (501, NOT_EMULATED)
    with pytest.raises(BadRequestError):
        sdk.queues.subscriptions.create(account_id=account.id, name="x")


@pytest.mark.long
def test_wrangler_creates_shows_changes_and_deletes_subscriptions(
    story: Subscribed, tmp_path: Path
) -> None:
    def call(words: str) -> str:
        return run_wrangler(tmp_path, story.account, *f"queues subscription {words}".split())

    call(
        "create events --source workflows.workflow --workflow-name orders "
        "--events instance.queued,instance.completed --name mirror"
    )
    [made] = story.account.call("GET", PATH)
    assert made["events"] == ["instance.queued", "instance.completed"]
    assert "mirror" in call("list events")
    assert "Enabled:" in call(f"get events --id {made['id']}")
    call(f"update events --id {made['id']} --enabled false --events instance.errored")
    shown = json.loads(call(f"get events --id {made['id']} --json"))
    assert (shown["enabled"], shown["events"]) == (False, ["instance.errored"])
    call(f"delete events --id {made['id']} --force")
    assert "No event subscriptions found" in call("list events")
