"""Cron triggers that a program drops are removed from the account, and no others."""

import json
from typing import Any

import pytest

from flowflare.errors import UpdateFailed
from flowflare.kinds import cron_cleanup
from flowflare.review.changes import review
from flowflare.values.events import Plan
from tests.e2e.conftest import Project
from tests.e2e.embedded import Cloudflare
from tests.e2e.manual_account import open_manual_account

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]
SERVICE, CLIENT = "local-flowflare-service", "local-flowflare-orders"
RETENTION = "\n  flowflare:retentionDays: 30"
CRONS = "flowflare:clients: {orders: {source: worker_src/orders/src/index.js, crons: [5 4 * * *]}}"


def list_schedules(project: Project, script: str) -> list[str]:
    answer: Any = project.account.get(f"/workers/scripts/{script}/schedules")
    return [str(schedule["cron"]) for schedule in answer["schedules"]]


def count_schedule_writes(project: Project, after: int) -> int:
    """Count the requests that set or clear schedules."""
    writes = project.account.list_writes(after)
    return len([write for write in writes if write.endswith("/schedules")])


def list_cron_ops(plan: Plan) -> dict[str, str]:
    """Return what a plan does with cron triggers, by resource name."""
    return {step.name: step.op for step in plan.steps if "-cron" in step.name and step.op != "same"}


def read_records(project: Project) -> dict[str, dict[str, Any]]:
    state = project.root / ".flowflare/state/.pulumi/stacks/flowflare/local.json"
    latest = json.loads(state.read_text())["checkpoint"]["latest"]
    return {resource["urn"]: resource for resource in latest["resources"]}


def remove_cleanups(project: Project) -> None:
    """Remove the records from the state that earlier versions did not store."""
    state = project.root / ".flowflare/state/.pulumi/stacks/flowflare/local.json"
    stored = json.loads(state.read_text())
    latest = stored["checkpoint"]["latest"]
    kept = [each for each in latest["resources"] if each["type"] != cron_cleanup.KIND.type]
    removed = {each["urn"] for each in latest["resources"]} - {each["urn"] for each in kept}
    for resource in kept:
        dependencies = resource.get("dependencies", [])
        resource["dependencies"] = [urn for urn in dependencies if urn not in removed]
    stored["checkpoint"]["latest"]["resources"] = kept
    state.write_text(json.dumps(stored))


@pytest.fixture
def running(project: Project) -> Project:
    """Deploy the example with cron triggers for the service and its client."""
    project.configure(RETENTION.strip())
    project.configure(CRONS)
    project.open_stack().up()
    assert (list_schedules(project, SERVICE), list_schedules(project, CLIENT)) == (
        ["*/10 * * * *"],
        ["5 4 * * *"],
    )
    return project


def drop_crons(project: Project) -> None:
    project.edit("Pulumi.local.yaml", RETENTION, "")
    project.edit("Pulumi.local.yaml", ", crons: [5 4 * * *]", "")


BOTH_DELETED = {
    "flowflare-service-crons": "delete",
    "flowflare-service-cron-cleanup": "delete",
    "flowflare-orders-crons": "delete",
    "flowflare-orders-cron-cleanup": "delete",
}


def drop_crons_and_check(project: Project) -> None:
    drop_crons(project)
    plan = project.open_stack().preview()
    assert list_cron_ops(plan) == BOTH_DELETED
    last = project.account.find_last_request()
    project.open_stack().up()
    assert len(project.account.list_requests(last)) == review(plan).api_calls
    assert count_schedule_writes(project, last) == 2
    assert (list_schedules(project, SERVICE), list_schedules(project, CLIENT)) == ([], [])
    assert project.open_stack().up().changed == 0


def test_dropped_triggers_are_deleted_as_the_preview_says(running: Project) -> None:
    drop_crons_and_check(running)
    running.configure(RETENTION.strip())
    running.open_stack().up()
    assert list_schedules(running, SERVICE) == ["*/10 * * * *"]
    assert running.open_stack().up().changed == 0


def test_triggers_that_an_earlier_version_deployed_are_deleted_too(running: Project) -> None:
    stored = read_records(running)
    remove_cleanups(running)
    assert running.open_stack().preview().changed == 0
    last = running.account.find_last_request()
    assert running.open_stack().up().changed == 0
    assert running.account.list_writes(last) == []
    added = read_records(running)
    for urn in stored:
        same = ("urn", "id", "type", "inputs", "outputs", "parent", "provider", "dependencies")
        assert {key: added[urn].get(key) for key in same} == {
            key: stored[urn].get(key) for key in same
        }

    remove_cleanups(running)
    drop_crons_and_check(running)


def test_a_failed_deletion_is_done_by_the_next_run(running: Project) -> None:
    drop_crons(running)
    refused = {"kind": "answer", "status": 403, "code": 10000}
    rule = {"method": "PUT", "path": "*/schedules"}
    with running.account.inject_fault(refused, **rule), pytest.raises(UpdateFailed):
        running.open_stack().up()
    assert list_schedules(running, SERVICE) == ["*/10 * * * *"]
    assert list_cron_ops(running.open_stack().preview()) == {
        name: op for name, op in BOTH_DELETED.items() if name.endswith("-cleanup")
    }
    running.open_stack().up()
    assert (list_schedules(running, SERVICE), list_schedules(running, CLIENT)) == ([], [])
    assert running.open_stack().up().changed == 0


def test_an_empty_list_deletes_the_triggers_without_a_cleanup(running: Project) -> None:
    running.edit("Pulumi.local.yaml", "crons: [5 4 * * *]", "crons: []")
    plan = running.open_stack().preview()
    assert list_cron_ops(plan) == {
        "flowflare-orders-crons": "update",
        "flowflare-orders-cron-cleanup": "delete",
    }
    last = running.account.find_last_request()
    running.open_stack().up()
    assert len(running.account.list_requests(last)) == review(plan).api_calls
    assert (list_schedules(running, SERVICE), list_schedules(running, CLIENT)) == (
        ["*/10 * * * *"],
        [],
    )
    assert running.open_stack().up().changed == 0


def test_a_destroy_clears_each_schedule_once_and_reads_nothing_that_is_deleted(
    running: Project,
) -> None:
    plan = running.open_stack().plan_destroy()
    last = running.account.find_last_request()
    running.open_stack().destroy()
    requests = running.account.list_requests(last)
    assert len(requests) == review(plan).api_calls
    assert count_schedule_writes(running, last) == 2
    assert [request for request in requests if request["status"] != 200] == []
    assert running.account.is_empty()


def test_triggers_that_no_program_declared_are_kept(
    project: Project, cloudflare: Cloudflare
) -> None:
    project.open_stack().up()
    with open_manual_account(project, cloudflare) as manual:
        path = f"/workers/scripts/{SERVICE}/schedules"
        manual.call("PUT", path, json=[{"cron": "5 4 * * *"}])
    types = {record["type"] for record in read_records(project).values()}
    assert cron_cleanup.KIND.type not in types
    assert project.open_stack().up().changed == 0
    assert list_schedules(project, SERVICE) == ["5 4 * * *"]


@pytest.mark.long
def test_after_an_adoption_nothing_changes_and_dropped_triggers_are_deleted(
    running: Project, cloudflare: Cloudflare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "FLOWFLARE_API_KEY", running.open_stack().outputs(show_secrets=True)["api_key"]
    )
    state = running.root / ".flowflare/state/.pulumi/stacks/flowflare/local.json"
    state.unlink()
    with open_manual_account(running, cloudflare) as manual:
        manual.run("adopt")
        assert manual.plan_changes() == {}
        manual.run("drift")
    drop_crons_and_check(running)
