"""Ephemeral environments: made, seeded once, extended, swept from a machine without the file."""

import json
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from flowflare.errors import FleetError, ProtectedError
from flowflare.fleet.environments.lifecycle import (
    CommandContext,
    bring_up,
    sweep,
    take_down,
    utc_now,
)
from flowflare.fleet.environments.seeding import read_seeds
from tests.e2e.conftest import UNCOUNTED, Project
from tests.e2e.killable import Zygote, has_fired

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("kills")]

HOUR = timedelta(hours=1)
SEED = "CREATE TABLE IF NOT EXISTS g(a); INSERT INTO g VALUES ('it''s');"
FILE = "Pulumi.pr-1.yaml"


def surroundings(root: Path) -> CommandContext:
    return CommandContext(root, {"HOME": str(root)}, api=UNCOUNTED)


def later(where: CommandContext, by: timedelta) -> CommandContext:
    return replace(where, now=lambda: utc_now() + by)


def swept(where: CommandContext) -> list[tuple[str, bool]]:
    return [(one.record.name, one.error is None) for one in sweep(where, lambda _: None)]


def other_checkout(project: Project, folder: Path) -> Path:
    """The project on another machine: its files as they are in Git, and the same state."""
    ignored = shutil.ignore_patterns(".flowflare", "node_modules", "Pulumi.pr-*.yaml")
    shutil.copytree(project.root, folder, ignore=ignored)
    (folder / ".flowflare").symlink_to(project.root / ".flowflare")
    return folder


def rows(project: Project) -> list[dict[str, str]]:
    [one] = project.account.get("/d1/database?name=pr1-flowflare-db")
    path = f"/d1/database/{one['uuid']}/query"
    return project.account.post(path, {"sql": "SELECT a FROM g"})[0]["results"]


def test_an_environment_lives_until_it_is_swept(project: Project, tmp_path: Path) -> None:
    where = surroundings(project.root)
    project.configure("flowflare:names: {service: by-hand}")
    (project.root / "seed.sql").write_text(SEED)
    seeds = read_seeds([str(project.root / "seed.sql")], project.root)
    first = bring_up("pr-1", where, ttl=HOUR, seeds=seeds)
    assert first.is_new
    assert [one.ran for one in first.seeded] == [True]
    assert project.account.scripts() == ["pr1-flowflare-orders", "pr1-flowflare-service"]

    (project.root / "seed.sql").write_text(f"{SEED}-- changed")
    seeds = read_seeds([str(project.root / "seed.sql")], project.root)
    again = bring_up("pr-1", later(where, HOUR), ttl=HOUR, seeds=seeds)
    assert (again.update.changed, again.is_new) == (0, False)
    assert [(one.ran, one.changed) for one in again.seeded] == [(False, True)]
    assert again.record.created == first.record.created
    assert rows(project) == [{"a": "it's"}]

    (project.root / "bad.sql").write_text(
        "INSERT INTO g VALUES ('lost'); INSERT INTO h VALUES (1);"
    )
    bad = read_seeds([str(project.root / "bad.sql")], project.root)
    with pytest.raises(FleetError, match=r"the seed bad\.sql failed: .*no such table: h"):
        bring_up("pr-1", later(where, HOUR), ttl=HOUR, seeds=bad)
    assert rows(project) == [{"a": "it's"}]

    machine = surroundings(other_checkout(project, tmp_path / "ci"))
    assert swept(later(machine, 1.5 * HOUR)) == []
    assert swept(later(machine, 3 * HOUR)) == [("pr-1", True)]
    assert project.account.holds_nothing()
    assert machine.records().read_all() == ()
    assert not (machine.root / FILE).exists()
    assert not list((project.root / ".flowflare/state/.pulumi/stacks").rglob("pr-1*"))
    assert not take_down("pr-1", where)


@pytest.mark.long
def test_killed_at_any_point_it_is_run_again(
    project: Project, warm: Zygote, tmp_path: Path
) -> None:
    (project.root / "seed.sql").write_text(SEED)
    query = {"method": "POST", "path": "*/query"}
    account = project.account
    with account.fault({"kind": "lose"}, method="POST", nth=2) as fault:
        killed = warm.kill_when(project.root, "environment", has_fired(fault), "pr-1")
    assert killed == -9
    bring_up("pr-1", surroundings(project.root), ttl=HOUR)
    # The seed is done, and whoever ran it dies before the answer.
    with account.fault({"kind": "lose"}, nth=2, **query) as fault:
        killed = warm.kill_when(project.root, "environment", has_fired(fault), "pr-1")
    assert killed == -9
    warm.start(project.root, "environment", "pr-1")
    assert warm.wait() == 0
    assert rows(project) == [{"a": "it's"}]

    machine = other_checkout(project, tmp_path / "ci")
    with account.fault({"kind": "lose"}, method="DELETE", nth=3) as fault:
        assert warm.kill_when(machine, "sweep", has_fired(fault)) == -9
    warm.start(machine, "sweep")
    assert warm.wait() == 0
    assert account.holds_nothing()
    assert surroundings(machine).records().read_all() == ()


def test_what_is_not_ephemeral_is_left_alone(project: Project) -> None:
    where = surroundings(project.root)
    with pytest.raises(FleetError, match="stack local has environment local"):
        bring_up("lo-cal", where, ttl=HOUR)
    with pytest.raises(FleetError, match=r"Pulumi\.local\.yaml was not written by"):
        bring_up("local", where, ttl=HOUR)
    assert project.account.requests() == []
    bring_up("pr-1", where, ttl=HOUR)
    record = where.records().get("pr-1")
    assert record is not None
    where.records().delete(record)
    # A stack without a record is nobody's to sweep or to take over.
    assert swept(later(where, 9 * HOUR)) == []
    with pytest.raises(FleetError, match="has resources but no record"):
        bring_up("pr-1", where, ttl=HOUR)
    where.records().write(record.record, None)
    with pytest.raises(FleetError, match="would have the names of environment pr-1"):
        bring_up("p-r1", where, ttl=HOUR)

    file = project.root / FILE
    file.write_text(file.read_text().replace("protect: false", "protect: true"))
    with pytest.raises(ProtectedError, match=r"Pulumi\.pr-1\.yaml:\d+ protects environment pr-1"):
        take_down("pr-1", where)
    project.edit(FILE, "protect: true", "protect: false")
    assert take_down("pr-1", where)
    assert project.account.holds_nothing()


def test_protected_resources_stop_a_sweep(project: Project) -> None:
    where = surroundings(project.root)
    bring_up("pr-1", where, ttl=HOUR)
    state = project.root / ".flowflare/state/.pulumi/stacks/flowflare/pr-1.json"
    raw = json.loads(state.read_text())
    for resource in raw["checkpoint"]["latest"]["resources"]:
        if resource["type"].endswith("D1Database"):
            resource["protect"] = True
    state.write_text(json.dumps(raw))
    assert swept(later(where, 2 * HOUR)) == [("pr-1", False)]
    assert project.account.databases() == ["pr1-flowflare-db"]
    assert where.records().get("pr-1") is not None
