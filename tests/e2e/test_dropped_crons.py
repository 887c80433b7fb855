"""Cron triggers that a program drops end in the account; those of others are left alone."""

import json
from typing import Any

import pytest

from flowflare.errors import UpdateFailed
from flowflare.review.changes import review
from flowflare.state.cron_cleanups import CRON_CLEANUP
from flowflare.values.events import Plan
from tests.e2e.by_hand import by_hand
from tests.e2e.conftest import Project
from tests.e2e.embedded import Cloudflare

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]
SERVICE, CLIENT = "local-flowflare-service", "local-flowflare-orders"
RETENTION = "\n  flowflare:retentionDays: 30"
CRONS = "flowflare:clients: {orders: {source: worker_src/orders/src/index.js, crons: [5 4 * * *]}}"


def schedules(project: Project, script: str) -> list[str]:
    found: Any = project.account.get(f"/workers/scripts/{script}/schedules")
    return [str(one["cron"]) for one in found["schedules"]]


def clearings(project: Project, after: int) -> int:
    """How many requests set schedules, or clear them."""
    return len([one for one in project.account.writes(after) if one.endswith("/schedules")])


def ops(plan: Plan) -> dict[str, str]:
    """What a plan does with crons, by the resource's name."""
    return {one.name: one.op for one in plan.steps if "-cron" in one.name and one.op != "same"}


def records(project: Project) -> dict[str, dict[str, Any]]:
    state = project.root / ".flowflare/state/.pulumi/stacks/flowflare/local.json"
    latest = json.loads(state.read_text())["checkpoint"]["latest"]
    return {one["urn"]: one for one in latest["resources"]}


def as_before(project: Project) -> None:
    """Takes out of the state what versions before this one did not store."""
    state = project.root / ".flowflare/state/.pulumi/stacks/flowflare/local.json"
    stored = json.loads(state.read_text())
    latest = stored["checkpoint"]["latest"]
    kept = [one for one in latest["resources"] if one["type"] != CRON_CLEANUP]
    gone = {one["urn"] for one in latest["resources"]} - {one["urn"] for one in kept}
    for one in kept:
        one["dependencies"] = [urn for urn in one.get("dependencies", []) if urn not in gone]
    stored["checkpoint"]["latest"]["resources"] = kept
    state.write_text(json.dumps(stored))


@pytest.fixture
def running(project: Project) -> Project:
    """The example with cron triggers of the service and of its client."""
    project.configure(RETENTION.strip())
    project.configure(CRONS)
    project.stack().up()
    assert (schedules(project, SERVICE), schedules(project, CLIENT)) == (
        ["*/10 * * * *"],
        ["5 4 * * *"],
    )
    return project


def drop(project: Project) -> None:
    project.edit("Pulumi.local.yaml", RETENTION, "")
    project.edit("Pulumi.local.yaml", ", crons: [5 4 * * *]", "")


BOTH_GO = {
    "flowflare-service-crons": "delete",
    "flowflare-service-cron-cleanup": "delete",
    "flowflare-orders-crons": "delete",
    "flowflare-orders-cron-cleanup": "delete",
}


def drop_and_see_them_end(project: Project) -> None:
    drop(project)
    plan = project.stack().preview()
    assert ops(plan) == BOTH_GO
    after = project.account.last_request()
    project.stack().up()
    assert len(project.account.requests(after)) == review(plan).api_calls
    assert clearings(project, after) == 2
    assert (schedules(project, SERVICE), schedules(project, CLIENT)) == ([], [])
    assert project.stack().up().changed == 0


def test_the_account_loses_them_as_the_preview_says(running: Project) -> None:
    drop_and_see_them_end(running)
    running.configure(RETENTION.strip())
    running.stack().up()
    assert schedules(running, SERVICE) == ["*/10 * * * *"]
    assert running.stack().up().changed == 0


def test_what_an_earlier_version_deployed_loses_them_too(running: Project) -> None:
    stored = records(running)
    as_before(running)
    assert running.stack().preview().changed == 0
    after = running.account.last_request()
    assert running.stack().up().changed == 0
    assert running.account.writes(after) == []
    added = records(running)
    for urn in stored:
        same = ("urn", "id", "type", "inputs", "outputs", "parent", "provider", "dependencies")
        assert {key: added[urn].get(key) for key in same} == {
            key: stored[urn].get(key) for key in same
        }

    as_before(running)
    drop_and_see_them_end(running)


def test_a_clearing_that_fails_is_done_by_the_next_run(running: Project) -> None:
    drop(running)
    refused = {"kind": "answer", "status": 403, "code": 10000}
    rule = {"method": "PUT", "path": "*/schedules"}
    with running.account.fault(refused, **rule), pytest.raises(UpdateFailed):
        running.stack().up()
    assert schedules(running, SERVICE) == ["*/10 * * * *"]
    assert ops(running.stack().preview()) == {
        name: op for name, op in BOTH_GO.items() if name.endswith("-cleanup")
    }
    running.stack().up()
    assert (schedules(running, SERVICE), schedules(running, CLIENT)) == ([], [])
    assert running.stack().up().changed == 0


def test_an_empty_list_clears_them_and_needs_no_cleanup(running: Project) -> None:
    running.edit("Pulumi.local.yaml", "crons: [5 4 * * *]", "crons: []")
    plan = running.stack().preview()
    assert ops(plan) == {
        "flowflare-orders-crons": "update",
        "flowflare-orders-cron-cleanup": "delete",
    }
    after = running.account.last_request()
    running.stack().up()
    assert len(running.account.requests(after)) == review(plan).api_calls
    assert (schedules(running, SERVICE), schedules(running, CLIENT)) == (["*/10 * * * *"], [])
    assert running.stack().up().changed == 0


def test_a_destroy_clears_them_once_and_asks_for_nothing_that_is_gone(running: Project) -> None:
    plan = running.stack().plan_destroy()
    after = running.account.last_request()
    running.stack().destroy()
    asked = running.account.requests(after)
    assert len(asked) == review(plan).api_calls
    assert clearings(running, after) == 2
    assert [one for one in asked if one["status"] != 200] == []
    assert running.account.holds_nothing()


def test_triggers_that_no_program_declared_stay(project: Project, cloudflare: Cloudflare) -> None:
    project.stack().up()
    with by_hand(project, cloudflare) as hand:
        path = f"/workers/scripts/{SERVICE}/schedules"
        hand.call("PUT", path, json=[{"cron": "5 4 * * *"}])
    assert not [urn for urn, one in records(project).items() if one["type"] == CRON_CLEANUP]
    assert project.stack().up().changed == 0
    assert schedules(project, SERVICE) == ["5 4 * * *"]


@pytest.mark.long
def test_after_an_adoption_nothing_changes_and_they_end_when_dropped(
    running: Project, cloudflare: Cloudflare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWFLARE_API_KEY", running.stack().outputs(show_secrets=True)["api_key"])
    state = running.root / ".flowflare/state/.pulumi/stacks/flowflare/local.json"
    state.unlink()
    with by_hand(running, cloudflare) as hand:
        hand.run("adopt")
        assert hand.changes() == {}
        hand.run("drift")
    drop_and_see_them_end(running)
