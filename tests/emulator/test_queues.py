"""Messages of queues: a Worker's `queue` handler receives them, with retries and dead letters."""

import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from flowflare.emulator.process import Running, find_running, start, stop
from tests.emulator.emulated import HELLO, Account, get, request, settings
from tests.emulator.test_wrangler import Project
from tests.support.waiting import wait_until

pytestmark = pytest.mark.workerd

#: Sends what it receives by HTTP, and stores the batches that it receives. The body of a message
#: says what happens: `retry` is retried once, `fail` always, and `throw` fails the whole batch.
WORKER = """
const readBatches = async (env) => (await env.SEEN.get("batches", "json")) ?? [];
async function note(env, batch) {
  const seen = await readBatches(env);
  const messages = batch.messages.map(({ id, body, attempts }) => ({ id, body, attempts }));
  await env.SEEN.put("batches", JSON.stringify([...seen, { queue: batch.queue, messages }]));
}
export default {
  async fetch(request, env) {
    if (request.method !== "POST") return Response.json(await readBatches(env));
    const bodies = await request.json();
    if (bodies.length === 1) await env.JOBS.send(bodies[0]);
    else await env.JOBS.sendBatch(bodies.map((body) => ({ body, contentType: "json" })));
    return new Response("sent");
  },
  async queue(batch, env) {
    await note(env, batch);
    if (batch.queue !== "jobs") return;
    for (const message of batch.messages) {
      const { body, attempts } = message;
      if (body === "fail" || (body === "retry" && attempts === 1)) message.retry();
      if (body === "acknowledged") message.ack();
    }
    if (batch.messages.some(({ body }) => body === "throw")) throw new Error("the message says so");
  },
};
"""
CONSUMER = {"type": "worker", "script_name": "app"}


class App:
    """A Worker that sends to the queue `jobs`, in an account with a queue `dead` beside it."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.jobs = account.call("POST", "/queues", json={"queue_name": "jobs"})["queue_id"]
        seen = account.call("POST", "/storage/kv/namespaces", json={"title": "seen"})["id"]
        self.bindings = [
            {"type": "queue", "name": "JOBS", "queue_name": "jobs"},
            {"type": "kv_namespace", "name": "SEEN", "namespace_id": seen},
        ]
        account.put("app", WORKER, bindings=self.bindings)
        self.url = account.enable("app")

    def consume(self, queue: str, *, dead: str = "", **settings: int) -> Any:
        body = {**CONSUMER, "dead_letter_queue": dead, "settings": settings}
        return self.account.call("POST", f"/queues/{queue}/consumers", json=body)

    def send(self, *bodies: object) -> None:
        assert request("POST", self.url, json=list(bodies)).text == "sent"

    def list_batches(self, queue: str) -> list[list[tuple[Any, int]]]:
        """List the batches of a queue, each message as its body and its attempts."""
        return [
            [(message["body"], message["attempts"]) for message in batch["messages"]]
            for batch in get(self.url).json()
            if batch["queue"] == queue
        ]

    def wait_for(self, queue: str, *batches: list[tuple[Any, int]]) -> None:
        wait_until(lambda: self.list_batches(queue), lambda found: len(found) >= len(batches))
        assert self.list_batches(queue) == list(batches)


def test_messages_arrive_in_batches_and_failed_ones_end_in_the_dead_letter_queue(
    account: Account,
) -> None:
    app = App(account)
    consumer = app.consume(app.jobs, dead="dead", batch_size=3, max_retries=1, max_wait_time_ms=0)
    assert consumer["settings"]["batch_size"] == 3
    # Cloudflare creates a dead-letter queue that does not exist.
    [dead] = [queue for queue in account.call("GET", "/queues") if queue["queue_name"] == "dead"]
    app.consume(dead["queue_id"], max_wait_time_ms=0)

    app.send("ok", "retry", "fail")
    app.wait_for("jobs", [("ok", 1), ("retry", 1), ("fail", 1)], [("retry", 2), ("fail", 2)])
    app.wait_for("dead", [("fail", 1)])
    ids = {
        message["id"]
        for batch in get(app.url).json()
        for message in batch["messages"]
        if message["body"] == "fail"
    }
    assert len(ids) == 1


def test_a_handler_that_throws_gets_its_batch_again_without_acknowledged_messages(
    account: Account,
) -> None:
    app = App(account)
    app.consume(app.jobs, max_retries=1, max_wait_time_ms=0)

    app.send("acknowledged", "throw")
    app.wait_for("jobs", [("acknowledged", 1), ("throw", 1)], [("throw", 2)])


def test_a_message_keeps_its_type_on_the_way(account: Account) -> None:
    app = App(account)
    app.consume(app.jobs, max_wait_time_ms=0)

    # Without a content type, workerd serializes the body.
    app.send({"order": [1, None]})
    app.wait_for("jobs", [({"order": [1, None]}, 1)])


def test_messages_wait_for_a_consumer_and_survive_a_killed_emulator(tmp_path: Path) -> None:
    data = tmp_path / "data"
    running = start(settings(data), lambda _: None)
    try:
        account = Account(running)
        app = App(account)
        app.send("early")
        os.kill(running.pid, signal.SIGKILL)
        wait_until(lambda: find_running(data) is None)
        again: Running = start(settings(data, running.port), lambda _: None)
        account.running = again
        app.consume(app.jobs, max_wait_time_ms=0)
        app.wait_for("jobs", [("early", 1)])
        account.close()
    finally:
        stop(data)


def test_a_deployed_worker_resumes_the_retries_of_its_last_version(account: Account) -> None:
    app = App(account)
    app.consume(app.jobs, max_retries=1, max_wait_time_ms=0, retry_delay=1)
    app.send("retry")
    app.wait_for("jobs", [("retry", 1)])

    account.put("app", f"{WORKER}// changed", bindings=app.bindings)
    app.wait_for("jobs", [("retry", 1)], [("retry", 2)])


def test_the_messages_of_a_deleted_queue_are_removed(account: Account) -> None:
    app = App(account)
    app.send("forgotten")
    file = account.running.data / "runtime" / "queues.sqlite"

    def count_messages() -> int:
        with closing(sqlite3.connect(file)) as database:
            query = "SELECT count(*) FROM messages WHERE queue = ?"
            [count] = database.execute(query, [app.jobs]).fetchone()
        return int(count)

    assert count_messages() == 1
    account.put("app", WORKER, bindings=app.bindings[1:])
    account.call("DELETE", f"/queues/{app.jobs}")
    assert count_messages() == 0


def test_what_a_consumer_needs_is_checked(account: Account) -> None:
    app = App(account)
    path = f"/queues/{app.jobs}/consumers"
    account.put("silent", HELLO)

    def post_for_code(**body: Any) -> int:
        return account.expect_refusal("POST", path, json={**CONSUMER, **body}).errors[0][0]

    assert post_for_code(script_name="none") == 10007
    assert post_for_code(script_name="silent") == 11001
    assert post_for_code(type="http_push") == 10001
    assert post_for_code(settings={"batch_size": 101}) == 10001
    app.consume(app.jobs)
    assert post_for_code() == 11004
    assert account.expect_refusal("GET", f"{path}/{'0' * 32}").status == 404


def test_a_script_that_consumes_a_queue_keeps_its_handler_and_is_not_deleted(
    account: Account,
) -> None:
    app = App(account)
    consumer = app.consume(app.jobs)
    assert account.put_expecting_refusal("app", HELLO).errors[0][0] == 11001
    assert account.expect_refusal("DELETE", "/workers/scripts/app").errors[0][0] == 10064

    account.call("DELETE", f"/queues/{app.jobs}/consumers/{consumer['consumer_id']}")
    account.call("DELETE", "/workers/scripts/app")


def test_a_deletion_by_force_removes_the_consumer_too(account: Account) -> None:
    app = App(account)
    app.consume(app.jobs)
    account.call("DELETE", "/workers/scripts/app?force=true")

    assert account.call("GET", f"/queues/{app.jobs}/consumers") == []


def test_the_official_sdk_changes_a_consumer(account: Account) -> None:
    from cloudflare import Cloudflare

    app, running = App(account), account.running
    with Cloudflare(base_url=running.base_url, api_token=running.token, max_retries=0) as sdk:
        made = sdk.queues.consumers.create(
            app.jobs, account_id=account.id, type="worker", script_name="app"
        )
        assert made is not None
        assert made.consumer_id
        sdk.queues.consumers.update(
            made.consumer_id,
            account_id=account.id,
            queue_id=app.jobs,
            type="worker",
            script_name="app",
            settings={"batch_size": 7},
        )
        [listed] = sdk.queues.consumers.list(app.jobs, account_id=account.id)
        assert listed.settings
        assert listed.settings.batch_size == 7
        sdk.queues.consumers.delete(made.consumer_id, account_id=account.id, queue_id=app.jobs)
        assert list(sdk.queues.consumers.list(app.jobs, account_id=account.id)) == []


@pytest.mark.long
def test_wrangler_adds_lists_and_removes_a_consumer(account: Account, tmp_path: Path) -> None:
    app = App(account)
    account.call("POST", "/queues", json={"queue_name": "another"})
    wrangler = Project(tmp_path, account, account.database("db"))

    wrangler.run("queues", "consumer", "add", "jobs", "app", "--batch-size", "4")
    [consumer] = account.call("GET", f"/queues/{app.jobs}/consumers")
    assert (consumer["script_name"], consumer["settings"]["batch_size"]) == ("app", 4)
    assert "app" in wrangler.run("queues", "consumer", "list", "jobs")
    wrangler.run("queues", "consumer", "remove", "jobs", "app")
    assert account.call("GET", f"/queues/{app.jobs}/consumers") == []
