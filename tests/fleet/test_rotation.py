"""The API keys of all tenants are rotated by one command, which loses nothing when it is killed."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from flowflare.config.files import read_project
from flowflare.rollout.rotate import api_keys, configured_keys
from flowflare.rollout.rotation import Keys
from tests.fleet.projects import FleetProject
from tests.support.embedded import open_embedded

pytestmark = [pytest.mark.xdist_group("e2e"), pytest.mark.workerd]
COMMENT = "# Who is on call: Ann.\n"


def read_keys(fleet: FleetProject, tenant: str) -> Keys:
    return configured_keys(read_project(fleet.root, f"{tenant}-prod"))


def list_deployed(fleet: FleetProject, tenant: str) -> list[int]:
    return list(api_keys(open_embedded(fleet.root, f"{tenant}-prod").read()))


def is_done(event: dict[str, Any]) -> bool:
    return event["event"] == "tenant-done"


@pytest.mark.long
@pytest.mark.usefixtures("uncounted_processes")
def test_keys_are_rotated_in_steps_and_a_killed_rotation_resumes(
    fleet_project: Callable[..., FleetProject],
) -> None:
    fleet = fleet_project(2, health={}, waves=["100%"])
    file = fleet.root / "tenants.yaml"
    file.write_text(COMMENT + file.read_text())
    early = fleet.run("secrets", "rotate")
    assert early.code == 1
    assert "no tenant of prod has an API key yet" in early.err
    assert fleet.run("up").code == 0

    fleet.kill_when(is_done, "secrets", "rotate")
    assert read_keys(fleet, "t01") == Keys((2, 1), 1), "the files record the progress"
    done = fleet.run("secrets", "rotate")
    assert done.code == 0, done.err
    assert "--finish" in done.out
    for tenant in ("t01", "t02"):
        assert read_keys(fleet, tenant) == Keys((2, 1), 2)
        assert list_deployed(fleet, tenant) == [2, 1]

    refusal = {"kind": "answer", "status": 403}
    script = "/scripts/t02-prod-flowflare-service$"
    with fleet.account.inject_fault(refusal, method="PUT", pattern=script):
        fleet.kill_when(is_done, "secrets", "rotate", "--finish", "--workers", "1")
        kept = [list_deployed(fleet, tenant) for tenant in ("t01", "t02")]
    assert kept == [[2], [2, 1]]
    finished = fleet.run("secrets", "rotate", "--finish")
    assert finished.code == 0, finished.err
    for tenant in ("t01", "t02"):
        assert read_keys(fleet, tenant) == Keys((2,), 2)
        assert list_deployed(fleet, tenant) == [2]
    assert file.read_text().startswith(COMMENT)
    assert fleet.run("config", "--check").code == 0


def test_a_rotation_needs_one_place_for_the_keys_and_nothing_else_to_deploy(
    fleet_project: Callable[..., FleetProject],
) -> None:
    fleet = fleet_project(1, health={}, waves=["100%"])
    written = yaml.safe_load((fleet.root / "tenants.yaml").read_text())
    own = {"config": {"apiKeys": [1], "apiKeyInUse": 1}}
    fleet.write({**written["tenants"], "zed": own}, health={})
    refused = fleet.run("secrets", "rotate")
    assert refused.code == 1
    assert "tenants.yaml: zed: has API keys of its own" in refused.err

    fleet.write(written["tenants"], health={})
    assert fleet.run("up").code == 0
    fleet.write(written["tenants"], health={}, config={"debug": True})
    waiting = fleet.run("secrets", "rotate")
    assert waiting.code == 1
    assert "changes of t01-prod are not deployed" in waiting.err
    assert read_keys(fleet, "t01") == Keys()
    shown = fleet.run("up")
    assert shown.code == 0
    shown = fleet.run("secrets", "rotate", "--preview")
    assert "Step 1 of 3" in shown.err
    assert read_keys(fleet, "t01") == Keys()
