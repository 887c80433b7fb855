"""Messages of queues by HTTP: push, pull with leases, retries, dead letters, purge and pause."""

import base64
from typing import Any

import cloudflare
import pytest

from tests.emulator.emulated import Account
from tests.emulator.test_queues import App
from tests.support.waiting import wait_until

pytestmark = pytest.mark.workerd

SETTINGS = {"batch_size": 5, "max_retries": 3, "retry_delay": 0, "visibility_timeout_ms": 30_000}


class Pulled:
    """A queue from which clients pull."""

    def __init__(self, account: Account, dead: str = "", **settings: int) -> None:
        self.account = account
        self.id = account.call("POST", "/queues", json={"queue_name": "pulled"})["queue_id"]
        self.path = f"/queues/{self.id}"
        body = {"type": "http_pull", "settings": settings, "dead_letter_queue": dead}
        self.consumer = self.call("/consumers", body)

    def call(self, path: str, body: Any) -> Any:
        return self.account.call("POST", self.path + path, json=body)

    def push(self, *bodies: object) -> Any:
        return self.call("/messages/batch", {"messages": [{"body": body} for body in bodies]})

    def pull(self, **options: int) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = self.call("/messages/pull", options)["messages"]
        return messages

    def acknowledge(self, *acks: str, retries: Any = ()) -> Any:
        body = {"acks": [{"lease_id": lease} for lease in acks], "retries": list(retries)}
        return self.call("/messages/ack", body)


def test_a_client_pulls_and_acknowledges_messages(account: Account) -> None:
    queue = Pulled(account)
    assert queue.consumer["type"] == "http_pull"
    assert queue.consumer["settings"] == SETTINGS
    assert "script_name" not in queue.consumer
    queue.call("/messages", {"body": "a text", "content_type": "text"})
    metrics = queue.push({"n": 1})["metadata"]["metrics"]
    assert (metrics["backlog_count"], metrics["backlog_bytes"]) == (2, 13)

    first, second = queue.pull()
    assert (first["body"], first["attempts"]) == ("a text", 1)
    assert base64.b64decode(second["body"]) == b'{"n":1}'
    assert second["metadata"] == {"CF-Content-Type": "json"}
    assert queue.pull() == []

    retry = {"lease_id": second["lease_id"], "delay_seconds": 0}
    done = queue.acknowledge(first["lease_id"], "unknown", retries=[retry])
    assert (done["ackCount"], done["retryCount"], list(done["warnings"])) == (1, 1, ["unknown"])
    (again,) = queue.pull(visibility_timeout_ms=1)
    assert again["attempts"] == 2
    # The lease expires, so the message can be pulled again and the old lease is worth nothing.
    (third,) = wait_until(queue.pull)
    assert third["attempts"] == 3
    assert queue.acknowledge(again["lease_id"])["ackCount"] == 0
    assert queue.acknowledge(third["lease_id"])["ackCount"] == 1
    assert account.call("GET", f"{queue.path}/metrics")["backlog_count"] == 0


def test_a_message_without_retries_left_becomes_a_dead_letter(account: Account) -> None:
    queue = Pulled(account, dead="dead", max_retries=0)
    queue.push("a")
    (message,) = queue.pull()
    queue.acknowledge(retries=[{"lease_id": message["lease_id"]}])
    assert queue.pull() == []
    (dead,) = account.call("GET", "/queues?name=dead")
    path = f"/queues/{dead['queue_id']}"
    assert account.call("GET", f"{path}/metrics")["backlog_count"] == 1
    account.call("POST", f"{path}/consumers", json={"type": "http_pull"})
    (moved,) = account.call("POST", f"{path}/messages/pull", json={})["messages"]
    assert (moved["id"], moved["attempts"]) == (message["id"], 1)


def test_settings_are_changed_one_by_one_and_a_paused_queue_delivers_nothing(
    account: Account,
) -> None:
    app = App(account)
    app.consume(app.jobs, max_wait_time_ms=0)
    path = f"/queues/{app.jobs}"
    account.call("PATCH", path, json={"settings": {"delivery_paused": True}})
    app.send("waits")
    change = {"queue_name": "jobs", "settings": {"message_retention_period": 60}}
    settings = account.call("PUT", path, json=change)["settings"]
    assert settings == {
        "delivery_delay": 0,
        "delivery_paused": True,
        "message_retention_period": 60,
    }
    assert account.call("GET", f"{path}/metrics")["backlog_count"] == 1
    assert app.list_batches("jobs") == []
    account.call("PATCH", path, json={"settings": {"delivery_paused": False}})
    app.wait_for("jobs", [("waits", 1)])


def test_a_purge_removes_all_messages(account: Account) -> None:
    queue = Pulled(account)
    queue.push("a", "b")
    refused = account.expect_refusal("POST", f"{queue.path}/purge", json={})
    assert refused.status == 400
    queue.call("/purge", {"delete_messages_permanently": True})
    assert account.call("GET", f"{queue.path}/metrics")["backlog_count"] == 0
    assert account.call("GET", f"{queue.path}/purge")["completed"] == "true"


def test_invalid_names_settings_and_messages_are_refused(account: Account) -> None:
    refused = account.expect_refusal("POST", "/queues", json={"queue_name": "Bad_Q"})
    pattern = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
    words = f"Queue name 'Bad_Q' is invalid: invalid queue name: Bad_Q. Must match {pattern}."
    assert (refused.status, refused.errors) == (400, ((11003, words),))
    queue = account.call("POST", "/queues", json={"queue_name": "q"})["queue_id"]
    for path, body in (
        ("", {"settings": {"delivery_delay": 86_401}}),
        ("", {"settings": {"delivery_paused": "yes"}}),
        ("/messages", {"body": 1, "content_type": "text"}),
        ("/messages", {"body": "x" * 128_001}),
        ("/messages/batch", {"messages": [{}]}),
        ("/messages/pull", {}),
        ("/consumers", {"type": "http_push"}),
    ):
        method = "POST" if path else "PATCH"
        assert account.expect_refusal(method, f"/queues/{queue}{path}", json=body).status == 400


def test_the_official_sdk_reads_every_answer(account: Account) -> None:
    sdk = cloudflare.Cloudflare(
        api_token=account.running.token,
        base_url=account.running.base_url,
        _strict_response_validation=True,
    )
    queues = sdk.queues
    created = queues.create(account_id=account.id, queue_name="q")
    assert created is not None
    queue = created.queue_id
    assert queue is not None
    where: dict[str, Any] = {"account_id": account.id}
    queues.edit(queue, **where, settings={"delivery_delay": 0, "message_retention_period": 60})
    made = queues.consumers.create(queue, **where, type="http_pull", settings={"batch_size": 3})
    assert made is not None
    assert made.consumer_id is not None
    queues.consumers.update(made.consumer_id, queue_id=queue, **where, type="http_pull")
    assert len(list(queues.consumers.list(queue, **where))) == 1
    queues.messages.push(queue, **where, body="a", content_type="text")
    queues.messages.bulk_push(queue, **where, messages=[{"body": {"n": 1}, "content_type": "json"}])
    pulled = queues.messages.pull(queue, **where, batch_size=2)
    assert pulled is not None
    assert pulled.messages is not None
    leases = [message.lease_id or "" for message in pulled.messages]
    acks = queues.messages.ack(queue, **where, acks=[{"lease_id": lease} for lease in leases])
    assert acks is not None
    assert acks.ack_count == 2
    assert queues.get_metrics(queue, **where) is not None
    queues.purge.start(queue, **where, delete_messages_permanently=True)
    assert queues.purge.status(queue, **where) is not None
    queues.consumers.delete(made.consumer_id, queue_id=queue, **where)
    queues.delete(queue, **where)
