"""A rollout over real stacks: one tenant breaks, the command is killed, the next one goes on."""

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
def test_a_tenant_breaks_the_command_is_killed_and_everybody_is_up(
    fleet_project: Callable[..., FleetProject],
) -> None:
    """A canary, two of which one breaks, and the last, who is only begun when all others are up."""
    fleet = fleet_project(4, waves=[1, "75%", "100%"])
    _one_breaks(fleet)
    _killed_while_it_is_brought_up(fleet)
    _the_next_run_goes_on(fleet)
    _nobody_opens_anothers_service(fleet)
    _nothing_is_left_to_do(fleet)


def _one_breaks(fleet: FleetProject) -> None:
    """Who runs beside it comes to its end; who is not begun stays as it was."""
    with fleet.account.fault(REFUSED, method="PUT", path="*/scripts/*t02*"):
        events = fleet.events("up", "--workers", "2", code=1)
    assert [one["tenants"] for one in events if one["event"] == "wave-began"] == [
        ["t01"],
        ["t02", "t03"],
    ]
    [failed] = [one for one in events if one["event"] == "tenant-failed"]
    assert failed["tenant"] == "t02"
    assert "403" in failed["error"]
    stopped = events[-1]
    assert stopped["reason"] == "t02 did not come up"
    assert stopped["where"]["done"] == ["t01", "t03"]
    assert stopped["where"]["failed"] == ["t02"]
    assert stopped["where"]["waiting"] == ["t04"]
    assert stopped["remedy"].startswith("Put the trouble of t02 right, then run it again")
    assert fleet.outcomes() == {"t01": "applied", "t02": "failed", "t03": "applied"}


def _killed_while_it_is_brought_up(fleet: FleetProject) -> None:
    def is_under_way(event: dict) -> bool:
        return event["event"] == "step" and event["kind"] == "started"

    events = fleet.kill_when(is_under_way, "up", "--workers", "1")
    assert events[0]["resumed"]
    assert events[0]["waves"] == [["t02"], ["t04"]]
    assert fleet.outcomes()["t02"] == "running"


def _the_next_run_goes_on(fleet: FleetProject) -> None:
    before = fleet.account.last_request()
    events = fleet.events("up", "--workers", "1")
    assert events[0]["rollout"] == fleet.records()["t01"]["rollout"]
    assert (events[0]["through"], events[0]["waves"]) == (2, [["t02"], ["t04"]])
    assert events[-1]["event"] == "done"
    assert events[-1]["applied"] == 2
    assert {one["op"] for one in events if one["event"] == "step" and "op" in one} == {"create"}
    assert fleet.outcomes() == dict.fromkeys(TENANTS, "applied")
    assert not [one for one in fleet.account.writes(before) if "t01" in one or "t03" in one]
    assert len(fleet.account.databases()) == 4
    assert len(fleet.account.scripts()) == 8
    healthy = [one for one in events if one["event"] == "health"]
    assert all("a run of order-processing completed" in str(one["found"]) for one in healthy)


def _nobody_opens_anothers_service(fleet: FleetProject) -> None:
    outputs = {
        name: open_embedded(fleet.root, f"{name}-prod").outputs(show_secrets=True)
        for name in TENANTS[:2]
    }
    for own, other in permutations(outputs.values(), 2):
        url = f"{own['service_url']}/service/list-workflows"
        asked = [
            httpx.post(url, json={}, headers={"X-API-Key": one["api_key"]}).status_code
            for one in (own, other)
        ]
        assert asked == [200, 401]


def _nothing_is_left_to_do(fleet: FleetProject) -> None:
    before = fleet.account.last_request()
    done = fleet.run("up")
    assert done.code == 0
    assert done.out == "Nothing to do: all 4 tenants are as they should be.\n"
    assert fleet.account.requests(before) == []
