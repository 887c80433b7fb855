"""Run each verb of queue consumers against the embedded Cloudflare."""

from typing import Any

import pytest

from flowflare.errors import EngineError
from flowflare.kinds import queue, queue_consumer
from flowflare.kinds.access import Access
from flowflare.kinds.account import Account as Seen
from flowflare.kinds.adoption import Findings, Thing, Wanted
from flowflare.kinds.contract import load_adopt, load_apply, load_drift
from flowflare.kinds.handler import Diff, Existing, Made
from flowflare.kinds.plugin_state import PluginState
from flowflare.kinds.scene import Record, Scene
from flowflare.values.properties import Props
from tests.emulator.emulated import HELLO, Account

pytestmark = pytest.mark.workerd

HANDLER = "export default { async queue() {} };"
SETTINGS = {
    "batchSize": 10.0,
    "maxRetries": 3.0,
    "maxWaitTimeMs": 5000.0,
    "retryDelay": 0.0,
}


class Consumers:
    """An account with two queues, two scripts that may consume them and one that may not."""

    def __init__(self, account: Account) -> None:
        self.api, self._account = account, account.id
        base_url, token = account.running.base_url, account.running.token
        self._access = Access({"baseUrl": base_url, "apiToken": token}, {})
        handler = load_apply(queue_consumer.KIND)
        assert handler is not None
        self.handler = PluginState(handler(self._access))
        self.jobs, self.dead = (
            account.call("POST", "/queues", json={"queue_name": name})["queue_id"]
            for name in ("jobs", "dead")
        )
        for script in ("orders", "billing"):
            account.put(script, HANDLER)
        account.put("silent", HELLO)

    def inputs(self, script: str = "orders", **more: Any) -> Props:
        given = {"accountId": self._account, "queueId": self.jobs, "type": "worker"}
        return self.handler.check({}, {**given, "scriptName": script, "settings": SETTINGS, **more})

    def drift(self, made: Made | None, inputs: Props) -> list[tuple[str, str]]:
        outputs = made.outputs if made else {}
        records = {
            queue.KIND.type: (Record("jobs", queue.KIND.type, self.jobs, {}, {}),),
            queue_consumer.KIND.type: (
                (Record("consumer", queue_consumer.KIND.type, made.id, inputs, outputs),)
                if made
                else ()
            ),
        }
        compare = load_drift(queue_consumer.KIND)
        assert compare is not None
        found = compare(Scene(records, {}), Seen(self._access.client, self._account))
        return [(finding.kind, finding.path) for finding in found]

    def adopt(self, inputs: Props, findings: Findings) -> Thing | None:
        find = load_adopt(queue_consumer.KIND)
        assert find is not None
        wanted = Wanted("consumer", queue_consumer.KIND.type, (), inputs, self.handler)
        return find(wanted, Seen(self._access.client, self._account), findings)


@pytest.fixture
def consumers(account: Account) -> Consumers:
    return Consumers(account)


def test_a_consumer_is_made_changed_and_deleted_and_drift_sees_each(consumers: Consumers) -> None:
    old = consumers.inputs(deadLetterQueue="dead")
    made = consumers.handler.create(old)
    assert made.id == old["accountId"]
    assert "id" not in made.outputs
    assert consumers.drift(made, old) == []

    existing = Existing(made.id, old, made.outputs)
    new = consumers.inputs("billing", settings={**SETTINGS, "batchSize": 20.0})
    assert consumers.handler.diff(existing, dict(old)).changes is False
    assert consumers.handler.diff(existing, new) == Diff(changes=True)
    consumers.handler.update(existing, new)
    assert consumers.drift(made, new) == []
    assert consumers.drift(made, old) == [
        ("changed", "script_name"),
        ("changed", "dead_letter_queue"),
        ("changed", "settings.batch_size"),
    ]

    read = consumers.handler.read(existing)
    assert read is not None
    assert (read.outputs["scriptName"], "deadLetterQueue" in read.outputs) == ("billing", False)
    consumers.handler.delete(existing)
    consumers.handler.delete(existing)
    assert consumers.handler.read(existing) is None
    assert consumers.drift(made, old) == [("missing", "")]


def test_a_consumer_that_state_does_not_know_is_reported(consumers: Consumers) -> None:
    consumers.handler.create(consumers.inputs())

    assert consumers.drift(None, {}) == [("extra", "consumers")]


def test_another_queue_replaces_a_consumer(consumers: Consumers) -> None:
    old = consumers.inputs()
    diff = consumers.handler.diff(Existing("a", old, old), consumers.inputs(queueId=consumers.dead))

    assert diff.replaces == ("queueId",)


def test_a_consumer_of_a_killed_run_is_found_and_a_strangers_is_refused(
    consumers: Consumers,
) -> None:
    assert consumers.handler.recover(consumers.inputs()) is None
    made = consumers.handler.create(consumers.inputs())

    found = consumers.handler.recover(consumers.inputs())
    assert found is not None
    assert found.outputs["consumerId"] == made.outputs["consumerId"]
    with pytest.raises(EngineError, match="already has a consumer that this stack did not create"):
        consumers.handler.create(consumers.inputs("billing"))


def test_a_script_without_a_handler_cannot_consume(consumers: Consumers) -> None:
    with pytest.raises(EngineError, match="exports no `queue` handler") as caught:
        consumers.handler.create(consumers.inputs("silent"))
    assert caught.value.remedy
    assert "async queue(batch, env)" in caught.value.remedy


def test_what_the_embedded_engine_does_not_make_is_refused_before_a_call(
    consumers: Consumers,
) -> None:
    with pytest.raises(EngineError, match="type must be worker"):
        consumers.inputs(type="http_pull")
    with pytest.raises(EngineError, match="scriptName is missing"):
        consumers.handler.check({}, {"accountId": "a", "queueId": "q", "type": "worker"})


def test_a_consumer_made_by_hand_is_adopted_with_its_differences(consumers: Consumers) -> None:
    body = {"type": "worker", "script_name": "orders", "settings": {"max_retries": 9}}
    findings = Findings()
    assert consumers.adopt(consumers.inputs(), findings) is None
    made = consumers.api.call("POST", f"/queues/{consumers.jobs}/consumers", json=body)

    thing = consumers.adopt(consumers.inputs(), findings)
    assert thing is not None
    assert thing.outputs["consumerId"] == made["consumer_id"]
    assert thing.inputs["settings"]["maxRetries"] == 9
    assert [difference.path for difference in thing.differences] == ["settings.max_retries"]

    assert findings.refusals == []
    assert consumers.adopt(consumers.inputs("billing"), findings) is None
    assert "queue jobs leads to the script orders" in findings.refusals[0]
