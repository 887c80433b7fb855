"""Ephemeral environments are created, seeded once, extended and swept from another machine."""

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


def make_context(root: Path) -> CommandContext:
    return CommandContext(root, {"HOME": str(root)}, api=UNCOUNTED)


def move_clock(context: CommandContext, by: timedelta) -> CommandContext:
    return replace(context, now=lambda: utc_now() + by)


def sweep_all(context: CommandContext) -> list[tuple[str, bool]]:
    """Sweep; return each environment and whether it was destroyed."""
    swept = sweep(context, lambda _: None)
    return [(environment.record.name, environment.error is None) for environment in swept]


def make_checkout(project: Project, folder: Path) -> Path:
    """Copy the project as another machine has it: its files in Git, and the same state."""
    ignored = shutil.ignore_patterns(".flowflare", "node_modules", "Pulumi.pr-*.yaml")
    shutil.copytree(project.root, folder, ignore=ignored)
    (folder / ".flowflare").symlink_to(project.root / ".flowflare")
    return folder


def read_rows(project: Project) -> list[dict[str, str]]:
    [database] = project.account.get("/d1/database?name=pr1-flowflare-db")
    path = f"/d1/database/{database['uuid']}/query"
    return project.account.post(path, {"sql": "SELECT a FROM g"})[0]["results"]


def test_an_environment_lives_until_it_is_swept(project: Project, tmp_path: Path) -> None:
    context = make_context(project.root)
    project.configure("flowflare:names: {service: by-hand}")
    (project.root / "seed.sql").write_text(SEED)
    seeds = read_seeds([str(project.root / "seed.sql")], project.root)
    first = bring_up("pr-1", context, ttl=HOUR, seeds=seeds)
    assert first.is_new
    assert [seed.ran for seed in first.seeded] == [True]
    assert project.account.list_scripts() == ["pr1-flowflare-orders", "pr1-flowflare-service"]

    (project.root / "seed.sql").write_text(f"{SEED}-- changed")
    seeds = read_seeds([str(project.root / "seed.sql")], project.root)
    again = bring_up("pr-1", move_clock(context, HOUR), ttl=HOUR, seeds=seeds)
    assert (again.update.changed, again.is_new) == (0, False)
    assert [(seed.ran, seed.changed) for seed in again.seeded] == [(False, True)]
    assert again.record.created == first.record.created
    assert read_rows(project) == [{"a": "it's"}]

    (project.root / "bad.sql").write_text(
        "INSERT INTO g VALUES ('lost'); INSERT INTO h VALUES (1);"
    )
    bad = read_seeds([str(project.root / "bad.sql")], project.root)
    with pytest.raises(FleetError, match=r"the seed bad\.sql failed: .*no such table: h"):
        bring_up("pr-1", move_clock(context, HOUR), ttl=HOUR, seeds=bad)
    assert read_rows(project) == [{"a": "it's"}]

    machine = make_context(make_checkout(project, tmp_path / "ci"))
    assert sweep_all(move_clock(machine, 1.5 * HOUR)) == []
    assert sweep_all(move_clock(machine, 3 * HOUR)) == [("pr-1", True)]
    assert project.account.is_empty()
    assert machine.records().read_all() == ()
    assert not (machine.root / FILE).exists()
    assert not list((project.root / ".flowflare/state/.pulumi/stacks").rglob("pr-1*"))
    assert not take_down("pr-1", context)


@pytest.mark.long
def test_an_environment_converges_after_a_kill_at_any_point(
    project: Project, warm: Zygote, tmp_path: Path
) -> None:
    (project.root / "seed.sql").write_text(SEED)
    query = {"method": "POST", "path": "*/query"}
    account = project.account
    with account.inject_fault({"kind": "lose"}, method="POST", nth=2) as fault:
        code = warm.kill_when(project.root, "environment", has_fired(fault), "pr-1")
    assert code == -9
    bring_up("pr-1", make_context(project.root), ttl=HOUR)
    # The seed was executed, but the run is killed before it receives the answer.
    with account.inject_fault({"kind": "lose"}, nth=2, **query) as fault:
        code = warm.kill_when(project.root, "environment", has_fired(fault), "pr-1")
    assert code == -9
    warm.start(project.root, "environment", "pr-1")
    assert warm.wait() == 0
    assert read_rows(project) == [{"a": "it's"}]

    machine = make_checkout(project, tmp_path / "ci")
    with account.inject_fault({"kind": "lose"}, method="DELETE", nth=3) as fault:
        assert warm.kill_when(machine, "sweep", has_fired(fault)) == -9
    warm.start(machine, "sweep")
    assert warm.wait() == 0
    assert account.is_empty()
    assert make_context(machine).records().read_all() == ()


def test_a_stack_that_is_not_ephemeral_is_never_changed(project: Project) -> None:
    context = make_context(project.root)
    with pytest.raises(FleetError, match="stack local has environment local"):
        bring_up("lo-cal", context, ttl=HOUR)
    with pytest.raises(FleetError, match=r"Pulumi\.local\.yaml was not written by"):
        bring_up("local", context, ttl=HOUR)
    assert project.account.list_requests() == []
    bring_up("pr-1", context, ttl=HOUR)
    record = context.records().get("pr-1")
    assert record is not None
    context.records().delete(record)
    # A stack without a record must be neither swept nor adopted.
    assert sweep_all(move_clock(context, 9 * HOUR)) == []
    with pytest.raises(FleetError, match="has resources but no record"):
        bring_up("pr-1", context, ttl=HOUR)
    context.records().write(record.record, None)
    with pytest.raises(FleetError, match="would have the names of environment pr-1"):
        bring_up("p-r1", context, ttl=HOUR)

    file = project.root / FILE
    file.write_text(file.read_text().replace("protect: false", "protect: true"))
    with pytest.raises(ProtectedError, match=r"Pulumi\.pr-1\.yaml:\d+ protects environment pr-1"):
        take_down("pr-1", context)
    project.edit(FILE, "protect: true", "protect: false")
    assert take_down("pr-1", context)
    assert project.account.is_empty()


def test_protected_resources_stop_a_sweep(project: Project) -> None:
    context = make_context(project.root)
    bring_up("pr-1", context, ttl=HOUR)
    state = project.root / ".flowflare/state/.pulumi/stacks/flowflare/pr-1.json"
    raw = json.loads(state.read_text())
    for resource in raw["checkpoint"]["latest"]["resources"]:
        if resource["type"].endswith("D1Database"):
            resource["protect"] = True
    state.write_text(json.dumps(raw))
    assert sweep_all(move_clock(context, 2 * HOUR)) == [("pr-1", False)]
    assert project.account.list_databases() == ["pr1-flowflare-db"]
    assert context.records().get("pr-1") is not None
