"""Workflow instances through the API: started, listed, shown, changed, sent events and deleted."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cloudflare import BadRequestError, Cloudflare, ConflictError, NotFoundError

from tests.emulator.emulated import Account, new_sqlite
from tests.support.waiting import wait_until

pytestmark = pytest.mark.workerd

SOURCE = """
import { DurableObject, WorkflowEntrypoint } from "cloudflare:workers";
export class Flow extends WorkflowEntrypoint {
  async run(event, step) {
    const first = await step.do("first", async () => ({ seen: event.payload.n }));
    await step.sleep("nap", 10);
    const approval = await step.waitForEvent("approval", { type: "approved", timeout: "1 hour" });
    return { first, approval: approval.payload };
  }
}
export class Failing extends WorkflowEntrypoint {
  async run(event, step) {
    await step.do("fails", { retries: { limit: 1, delay: 1, backoff: "constant" } }, async () => {
      if (event.payload.size) return "x".repeat(event.payload.size);
      throw new Error("no luck");
    });
  }
}
export class Counter extends DurableObject {}
export default { fetch: () => new Response() };
"""


class Flows:
    """The Workflows of an account, called with the strict SDK."""

    def __init__(self, account: Account, sdk: Cloudflare) -> None:
        self.account = account
        self.sdk = sdk
        account.put("app", SOURCE)
        for name, class_name in (("orders", "Flow"), ("failing", "Failing")):
            sdk.workflows.update(
                name, account_id=account.id, script_name="app", class_name=class_name
            )

    def start(self, name: str = "orders", **given: Any) -> str:
        created = self.sdk.workflows.instances.create(name, account_id=self.account.id, **given)
        return created.id

    def get(self, instance: str, name: str = "orders", **given: Any) -> Any:
        return self.sdk.workflows.instances.get(
            instance, account_id=self.account.id, workflow_name=name, **given
        )

    def wait(self, instance: str, status: str, name: str = "orders") -> Any:
        return wait_until(lambda: self.get(instance, name), lambda found: found.status == status)

    def change(self, instance: str, status: Any, **given: Any) -> str:
        edited = self.sdk.workflows.instances.status.edit(
            instance,
            account_id=self.account.id,
            workflow_name="orders",
            status=status,
            **given,
        )
        return edited.status

    def send(self, instance: str, payload: object) -> None:
        sent = self.sdk.workflows.instances.events.create(
            "approved",
            account_id=self.account.id,
            workflow_name="orders",
            instance_id=instance,
            body=payload,
        )
        assert sent.instance_id == instance

    def list(self, name: str = "orders", **given: Any) -> list[Any]:
        return list(self.sdk.workflows.instances.list(name, account_id=self.account.id, **given))


def names(found: Any) -> list[str]:
    return [step.name for step in found.steps]


@pytest.fixture
def flows(account: Account) -> Any:
    running = account.running
    with Cloudflare(
        base_url=running.base_url,
        api_token=running.token,
        max_retries=0,
        _strict_response_validation=True,
    ) as sdk:
        yield Flows(account, sdk)


def test_an_instance_is_started_sent_an_event_and_read_after_a_reload(flows: Flows) -> None:
    instance = flows.start(instance_id="one", params='{"n": 7}')
    assert instance == "one"
    waiting = flows.wait("one", "waiting")
    assert waiting.params == {"n": 7}
    assert (waiting.output, waiting.end, waiting.trigger.source) == ("", None, "api")
    flows.send("one", {"by": "me"})
    flows.wait("one", "complete")
    flows.account.put("app", SOURCE + "// changed")
    flows.account.control("POST", f"/settle?account={flows.account.id}")
    found = flows.get("one")
    assert found.success is True
    assert found.output == '{"first":{"seen":7},"approval":{"by":"me"}}'
    step, nap, wait = found.steps
    assert (step.type, step.name, step.output) == ("step", "first-1", '{"seen":7}')
    assert [attempt.success for attempt in step.attempts] == [True]
    assert (nap.type, nap.name, nap.finished) == ("sleep", "nap-1", True)
    assert (wait.type, wait.event_type, wait.output) == ("waitForEvent", "approved", '{"by":"me"}')
    assert flows.get("one", simple="true").steps == []
    assert [each.name for each in flows.get("one", order="desc").steps][-1] == "first-1"
    [version] = flows.sdk.workflows.versions.list("orders", account_id=flows.account.id)
    [listed] = flows.list()
    assert (listed.id, listed.status, listed.version_id) == ("one", "complete", version.id)
    assert found.version_id == version.id
    assert listed.ended_on is not None
    shown = flows.sdk.workflows.get("orders", account_id=flows.account.id)
    assert shown.instances["complete"] == 1
    assert shown.triggered_on == listed.created_on


def test_steps_are_shown_whole_and_failures_with_their_attempts(flows: Flows) -> None:
    instance = flows.start("failing")
    failed = flows.wait(instance, "errored", "failing")
    assert (failed.success, failed.error.message) == (False, "no luck")
    [step] = failed.steps
    assert [each.error.message for each in step.attempts] == ["no luck", "no luck"]
    assert step.config.retries.limit == 1
    whole = flows.sdk.workflows.instances.step(
        instance,
        account_id=flows.account.id,
        workflow_name="failing",
        name="fails-1",
        type="step",
    )
    assert (whole.status, whole.error.message if whole.error else "") == ("errored", "no luck")


def test_ended_instances_are_deleted_when_their_retention_is_over(flows: Flows) -> None:
    flows.sdk.workflows.update(
        "failing",
        account_id=flows.account.id,
        script_name="app",
        class_name="Failing",
        default_retention={"error_retention": "2 days"},
    )
    flows.start("failing", instance_id="two-days")
    flows.start("failing", instance_id="an-hour", instance_retention={"error_retention": "1 hour"})
    flows.start(instance_id="week", params='{"n": 1}')
    flows.start(instance_id="open", params='{"n": 1}')
    flows.wait("week", "waiting")
    flows.send("week", {})
    for instance in ("two-days", "an-hour"):
        flows.wait(instance, "errored", "failing")
    flows.wait("week", "complete")
    flows.wait("open", "waiting")

    def list_after(**duration: int) -> list[str]:
        moment = datetime.now(UTC) + timedelta(**duration)
        body = {"account": flows.account.id, "time": int(moment.timestamp() * 1000)}
        flows.account.control("PUT", "/clock", json=body)
        return sorted(each.id for name in ("orders", "failing") for each in flows.list(name))

    assert list_after(minutes=59) == ["an-hour", "open", "two-days", "week"]
    assert list_after(hours=2) == ["open", "two-days", "week"]
    assert list_after(days=2, minutes=1) == ["open", "week"]
    assert list_after(days=6) == ["open", "week"]
    assert list_after(days=7, minutes=1) == ["open"]


def test_a_step_returns_at_most_one_mebibyte(flows: Flows) -> None:
    instance = flows.start("failing", params='{"size": 1100000}')
    failed = flows.wait(instance, "errored", "failing")
    assert "Maximum allowed size is 1MiB" in failed.steps[0].attempts[-1].error.message


def test_an_instance_is_paused_resumed_terminated_and_restarted(flows: Flows) -> None:
    flows.start(instance_id="one", params='{"n": 1}')
    flows.wait("one", "waiting")
    flows.change("one", "pause")
    flows.wait("one", "paused")
    flows.change("one", "resume")
    flows.wait("one", "waiting")
    flows.change("one", "terminate")
    assert flows.wait("one", "terminated").steps[-1].type == "termination"
    with pytest.raises(BadRequestError, match="cannot_terminate"):
        flows.change("one", "terminate")
    flows.change("one", "restart")
    wait_until(lambda: flows.get("one"), lambda found: names(found)[-1:] == ["approval-1"])
    flows.change("one", "restart", from_={"name": "approval", "type": "waitForEvent"})
    assert flows.wait("one", "waiting").steps[0].name == "first-1"
    with pytest.raises(BadRequestError, match="cannot_restart"):
        flows.change("one", "restart", from_={"name": "nowhere"})
    # A restarted instance is unfinished again, so it is resumed after a reload.
    flows.account.put("app", SOURCE + "// changed")
    flows.account.control("POST", f"/settle?account={flows.account.id}")
    flows.send("one", {})
    assert flows.wait("one", "complete").success is True


def test_instances_are_listed_by_status_date_page_and_cursor(flows: Flows) -> None:
    path = "/workflows/orders/instances"
    batch = [{"instance_id": f"i{number}"} for number in range(3)]
    assert len(flows.account.call("POST", f"{path}/batch", json=batch)) == 3
    assert [each["id"] for each in flows.account.call("POST", f"{path}/batch", json=batch)] == []
    twice = flows.account.expect_refusal("POST", f"{path}/batch", json=[batch[0], batch[0]])
    assert twice.errors[0][0] == 10415
    for number in range(3):
        flows.wait(f"i{number}", "waiting")
    assert [each.id for each in flows.list(per_page=2)] == ["i2", "i1", "i0"]
    assert [each.id for each in flows.list(status="complete")] == []
    assert [each.id for each in flows.list(date_end="2020-01-01T00:00:00Z")] == []
    page = flows.account.http.get(path, params={"per_page": 2, "direction": "asc"}).json()
    assert [each["id"] for each in page["result"]] == ["i0", "i1"]
    cursor = page["result_info"]["cursor"]
    rest = flows.account.call("GET", path, params={"cursor": cursor, "direction": "asc"})
    assert [each["id"] for each in rest] == ["i2"]
    for wrong in ({"status": "x"}, {"date_start": "x"}, {"cursor": cursor, "page": 1}):
        refused = flows.account.expect_refusal("GET", path, params=wrong)
        assert (refused.status, refused.errors[0][0]) == (400, 10002)
    flows.account.call("PUT", f"{path}/terminate")
    assert {each.status for each in flows.list()} == {"terminated"}
    deleted = flows.account.call(
        "POST", f"{path}/batch/delete", json={"instances": ["i0", "none", "i1"]}
    )
    assert deleted["deleted"] == [{"id": "i0"}, {"id": "i1"}]
    assert [(each["id"], each["code"]) for each in deleted["errors"]] == [("none", 10400)]
    assert [each.id for each in flows.list()] == ["i2"]
    assert flows.start(instance_id="i0") == "i0"


@pytest.mark.parametrize(
    "given",
    [
        {"instance_id": "x" * 101},
        {"instance_id": "a b"},
        {"instance_id": "cf_" + "0" * 64},
        {"params": "{"},
        {"params": json.dumps("x" * 2**20)},
        {"instance_retention": {"success_retention": "soon"}},
        {"instance_retention": {"success_retention": "31 days"}},
        {"instance_retention": {"success_retention": "9" * 400 + " days"}},
        {"instance_retention": {"error_retention": 10**300}},
        {"instance_retention": []},
    ],
)
def test_an_invalid_instance_is_refused(flows: Flows, given: dict[str, Any]) -> None:
    with pytest.raises(BadRequestError, match="10002"):
        flows.start(**given)


def test_an_instance_that_exists_or_is_missing_is_refused(flows: Flows) -> None:
    flows.start(instance_id="one")
    with pytest.raises(ConflictError, match="10405"):
        flows.start(instance_id="one")
    with pytest.raises(NotFoundError, match="10400"):
        flows.get("two")
    with pytest.raises(NotFoundError, match="10200"):
        flows.start("none")


def test_a_class_need_not_be_exported_but_must_be_a_workflow(flows: Flows) -> None:
    body = {"script_name": "app", "class_name": "Later"}
    flows.account.call("PUT", "/workflows/later", json=body)
    refused = flows.account.expect_refusal("POST", "/workflows/later/instances", json={})
    assert (refused.status, refused.errors[0][0]) == (400, 10201)
    flows.account.put("app", SOURCE.replace("class Flow ", "class Later "))
    assert flows.start("later")
    refused = flows.account.expect_refusal(
        "PUT", "/workflows/counter", json={**body, "class_name": "Counter"}
    )
    assert (refused.status, refused.errors[0][0]) == (400, 10201)
    for name in ("x" * 65, "my flow!"):
        refused = flows.account.expect_refusal("PUT", f"/workflows/{name}", json=body)
        assert (refused.status, refused.errors[0][0]) == (400, 10002)


def test_a_workflow_is_not_a_durable_object(account: Account) -> None:
    refused = account.put_expecting_refusal("app", SOURCE, migrations=new_sqlite("Flow"))
    assert (refused.status, refused.errors[0][0]) == (400, 10070)
    account.put("app", SOURCE, migrations=new_sqlite("Counter"))
