"""A rollout over real stacks: a tenant fails, the command is killed, and the next run resumes."""

from collections.abc import Callable
from itertools import permutations

import httpx
import pytest

from tests.fleet.projects import FleetProject
from tests.support.embedded import open_embedded

REFUSED = {"kind": "answer", "status": 403}
TENANTS = ("t01", "t02", "t03", "t04")


@pytest.mark.xdist_group("fleet rollout")
@pytest.mark.workerd
@pytest.mark.long
def test_all_tenants_are_deployed_in_spite_of_a_failure_and_a_kill(
    fleet_project: Callable[..., FleetProject],
) -> None:
    """A canary is first, one of the next two fails, and the last waits until all others are up."""
    fleet = fleet_project(4, waves=[1, "75%", "100%"])
    _one_tenant_fails(fleet)
    _the_command_is_killed_during_its_up(fleet)
    _the_next_run_resumes(fleet)
    _keys_of_tenants_are_separate(fleet)
    _another_up_has_nothing_to_do(fleet)


def _one_tenant_fails(fleet: FleetProject) -> None:
    """The tenant that runs at the same time is finished, and the last one is not begun."""
    with fleet.account.inject_fault(REFUSED, method="PUT", path="*/scripts/*t02*"):
        events = fleet.events("up", "--workers", "2", code=1)
    assert [event["tenants"] for event in events if event["event"] == "wave-began"] == [
        ["t01"],
        ["t02", "t03"],
    ]
    [failed] = [event for event in events if event["event"] == "tenant-failed"]
    assert failed["tenant"] == "t02"
    assert "403" in failed["error"]
    stopped = events[-1]
    assert stopped["reason"] == "t02 failed"
    assert stopped["where"]["done"] == ["t01", "t03"]
    assert stopped["where"]["failed"] == ["t02"]
    assert stopped["where"]["waiting"] == ["t04"]
    assert stopped["remedy"].startswith("Fix t02, then run the same command again")
    assert fleet.outcomes() == {"t01": "applied", "t02": "failed", "t03": "applied"}


def _the_command_is_killed_during_its_up(fleet: FleetProject) -> None:
    def has_begun(event: dict) -> bool:
        return event["event"] == "step" and event["kind"] == "started"

    events = fleet.kill_when(has_begun, "up", "--workers", "1")
    assert events[0]["resumed"]
    assert events[0]["waves"] == [["t02"], ["t04"]]
    assert fleet.outcomes()["t02"] == "running"


def _the_next_run_resumes(fleet: FleetProject) -> None:
    before = fleet.account.find_last_request()
    events = fleet.events("up", "--workers", "1")
    assert events[0]["rollout"] == fleet.records()["t01"]["rollout"]
    assert (events[0]["through"], events[0]["waves"]) == (2, [["t02"], ["t04"]])
    assert events[-1]["event"] == "done"
    assert events[-1]["applied"] == 2
    steps = [event for event in events if event["event"] == "step"]
    assert {step["op"] for step in steps if "op" in step} == {"create"}
    assert fleet.outcomes() == dict.fromkeys(TENANTS, "applied")
    writes = fleet.account.list_writes(before)
    assert not [line for line in writes if "t01" in line or "t03" in line]
    assert len(fleet.account.list_databases()) == 4
    assert len(fleet.account.list_scripts()) == 8
    checks = [event for event in events if event["event"] == "health"]
    assert all("a run of order-processing completed" in str(check["found"]) for check in checks)


def _keys_of_tenants_are_separate(fleet: FleetProject) -> None:
    outputs = {
        name: open_embedded(fleet.root, f"{name}-prod").outputs(show_secrets=True)
        for name in TENANTS[:2]
    }
    for own, other in permutations(outputs.values(), 2):
        url = f"{own['service_url']}/service/list-workflows"
        statuses = [
            httpx.post(url, json={}, headers={"X-API-Key": outputs["api_key"]}).status_code
            for outputs in (own, other)
        ]
        assert statuses == [200, 401]


def _another_up_has_nothing_to_do(fleet: FleetProject) -> None:
    before = fleet.account.find_last_request()
    done = fleet.run("up")
    assert done.code == 0
    assert done.out == "Nothing to do: all 4 tenants are up to date.\n"
    assert fleet.account.list_requests(before) == []
