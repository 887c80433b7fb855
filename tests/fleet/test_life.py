"""A fleet's life from the first tenant to the last, with what goes wrong on the way.

`make test-all` runs it with a few tenants; FLOWFLARE_FLEET_TENANTS=50 (`make fleet`) with more.
"""

import os
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from flowflare.errors import SecretError
from tests.fleet.lives import Life, life_of, own_database, own_rows
from tests.fleet.projects import FleetProject

COUNT = int(os.environ.get("FLOWFLARE_FLEET_TENANTS", "3"))
RETIRED = max(1, COUNT // 10)
NAMES = [f"t{number:02}" for number in range(1, COUNT + 1)]
GONE = NAMES[:RETIRED]
STAYING = NAMES[RETIRED:]
PARCELS = "CREATE TABLE parcels (id INTEGER PRIMARY KEY, owner TEXT NOT NULL);\n"
WEIGHTS = "ALTER TABLE parcels ADD COLUMN weight INTEGER NOT NULL DEFAULT 7;\n"
MIGRATIONS = "worker_src/orders/migrations"


@pytest.mark.long
@pytest.mark.no_cover
@pytest.mark.usefixtures("uncounted_processes")
@pytest.mark.xdist_group("fleet-life")
@pytest.mark.timeout(600 + 60 * COUNT)
def test_every_tenant_keeps_its_own_through_kills_failures_upgrades_and_rotation(
    fleet_project: Callable[..., FleetProject],
) -> None:
    fleet = founded(fleet_project)
    provisioned(fleet)
    before = {tenant: life_of(fleet, tenant) for tenant in NAMES}
    for life in before.values():
        life.order()
        own_rows(fleet, life.tenant, f"INSERT INTO parcels (owner) VALUES ('{life.tenant}')")

    upgraded(fleet, broken=NAMES[-2])
    rotated(fleet)
    retired(fleet)

    after = [life_of(fleet, tenant) for tenant in STAYING]
    for life in after:
        assert life.orders() == {f"of-{life.tenant}"}
        parcels = own_rows(fleet, life.tenant, "SELECT owner, weight FROM parcels")
        assert parcels == [{"owner": life.tenant, "weight": 7}]
        assert life.status_for(before[life.tenant].key) == 401
    no_key_opens_another(after)
    no_passphrase_opens_another(fleet)
    nothing_is_left_of_the_retired(fleet)
    done = fleet.events("up")[-1]
    assert (done["event"], done["applied"], done["unchanged"]) == ("done", 0, len(STAYING))
    assert done["api_calls"] == 0


def founded(fleet_project: Callable[..., FleetProject]) -> FleetProject:
    """A fleet with a passphrase for each tenant and a database that is the client's own."""
    fleet = fleet_project(0, waves=[1, "40%", "100%"], passphrase={"file": "passphrases/{tenant}"})
    (fleet.root / "passphrases").mkdir()
    for tenant in NAMES:
        (fleet.root / f"passphrases/{tenant}").write_text(f"the words of {tenant}")
    migrated(fleet, "0001_parcels.sql", PARCELS)
    project = yaml.safe_load((fleet.root / "Pulumi.yaml").read_text())
    orders = project["config"]["flowflare:clients"]["value"]["orders"]
    orders["databases"] = {"SHOP": {"migrations": MIGRATIONS}}
    (fleet.root / "Pulumi.yaml").write_text(yaml.safe_dump(project, sort_keys=False))
    says(fleet, tenants={tenant: {} for tenant in NAMES})
    return fleet


def provisioned(fleet: FleetProject) -> None:
    """All come up, although the runner is killed in the middle."""
    done: list[str] = []

    def half_are_up(event: dict[str, Any]) -> bool:
        done.extend([event["tenant"]] if event["event"] == "tenant-done" else [])
        return len(done) >= COUNT // 2

    fleet.kill_when(half_are_up, "up")
    rest = fleet.events("up")
    assert rest[0]["resumed"]
    assert not set(done) & {one["tenant"] for one in rest if one["event"] == "tenant-began"}
    assert set(fleet.outcomes().values()) == {"applied"}
    assert sorted(fleet.outcomes()) == NAMES


def upgraded(fleet: FleetProject, broken: str) -> None:
    """A D1 migration for all: one tenant's breaks, the runner is killed again, then all have it."""
    migrated(fleet, "0002_weights.sql", WEIGHTS)
    refusal = {"kind": "answer", "status": 400, "code": 7500, "message": "no such table"}
    with fleet.account.fault(refusal, pattern=own_database(fleet, broken)):
        stopped = fleet.events("up", code=1)[-1]
        assert stopped["event"] == "stopped"
        assert stopped["where"]["failed"] == [broken]
    fleet.kill_when(lambda event: event["event"] == "tenant-began", "up")
    fleet.events("up")
    assert set(fleet.outcomes().values()) == {"applied"}


def rotated(fleet: FleetProject) -> None:
    """The API key of every tenant, in the three steps that interrupt nobody."""
    for keys in (
        {"apiKeys": [2, 1]},
        {"apiKeys": [2, 1], "apiKeyInUse": 2},
        {"apiKeys": [2], "apiKeyInUse": 2},
    ):
        says(fleet, defaults=keys)
        assert fleet.events("up")[-1]["applied"] == COUNT


def retired(fleet: FleetProject) -> None:
    """One line for each who leaves, and each by name; what they had is kept as an export."""
    says(fleet, tenants={one: {"status": "retired"} if one in GONE else {} for one in NAMES})
    by_name = [word for one in GONE for word in ("--retire", one)]
    assert fleet.events("up", *by_name)[-1]["removed"] == RETIRED
    for tenant in GONE:
        exported = "".join(
            one.read_text()
            for one in (fleet.root / ".flowflare/exports").rglob("*.sql")
            if f"{tenant}-prod" in str(one)
        )
        assert f"of-{tenant}" in exported
        assert "parcels" in exported


def nothing_is_left_of_the_retired(fleet: FleetProject) -> None:
    left = [*fleet.account.scripts(), *fleet.account.databases(), *fleet.account.workflows()]
    assert not [name for name in left if name.split("-")[0] in GONE]
    assert {name.split("-")[0] for name in left} == set(STAYING)


def no_key_opens_another(lives: list[Life]) -> None:
    for life, other in zip(lives, lives[1:] + lives[:1], strict=True):
        assert life.status_for(life.key) == 200
        assert other.status_for(life.key) == 401


def no_passphrase_opens_another(fleet: FleetProject) -> None:
    one, other = STAYING[:2]
    with pytest.raises(SecretError):
        life_of(fleet, one, passphrase_of=other)


def migrated(fleet: FleetProject, name: str, sql: str) -> None:
    folder = fleet.root / MIGRATIONS
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(sql)


def says(fleet: FleetProject, **parts: dict[str, Any]) -> None:
    """Changes parts of tenants.yaml, and writes the stacks' files."""
    file = fleet.root / "tenants.yaml"
    written = yaml.safe_load(file.read_text())
    for part, values in parts.items():
        written[part] |= values
    file.write_text(yaml.safe_dump(written, sort_keys=False))
    fleet.succeeds("fleet", "config")
