"""A fleet from its first deployment to the retirement of tenants, with kills and failures.

`make test-all` runs it with a few tenants, and `make fleet` with FLOWFLARE_FLEET_TENANTS=50.
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
LEAVING = NAMES[:RETIRED]
STAYING = NAMES[RETIRED:]
PARCELS = "CREATE TABLE parcels (id INTEGER PRIMARY KEY, owner TEXT NOT NULL);\n"
WEIGHTS = "ALTER TABLE parcels ADD COLUMN weight INTEGER NOT NULL DEFAULT 7;\n"
MIGRATIONS = "worker_src/orders/migrations"


@pytest.mark.long
@pytest.mark.no_cover
@pytest.mark.usefixtures("uncounted_processes")
@pytest.mark.xdist_group("fleet-life")
@pytest.mark.timeout(600 + 60 * COUNT)
def test_every_tenant_keeps_its_data_through_kills_failures_upgrades_and_rotation(
    fleet_project: Callable[..., FleetProject],
) -> None:
    fleet = create_fleet(fleet_project)
    provision(fleet)
    before = {tenant: life_of(fleet, tenant) for tenant in NAMES}
    for life in before.values():
        life.order()
        own_rows(fleet, life.tenant, f"INSERT INTO parcels (owner) VALUES ('{life.tenant}')")

    upgrade(fleet, broken=NAMES[-2])
    rotate(fleet)
    retire(fleet)

    after = [life_of(fleet, tenant) for tenant in STAYING]
    for life in after:
        assert life.orders() == {f"of-{life.tenant}"}
        parcels = own_rows(fleet, life.tenant, "SELECT owner, weight FROM parcels")
        assert parcels == [{"owner": life.tenant, "weight": 7}]
        assert life.status_for(before[life.tenant].key) == 401
    check_keys_are_separate(after)
    check_passphrases_are_separate(fleet)
    check_retired_tenants_are_removed(fleet)
    done = fleet.events("up")[-1]
    assert (done["event"], done["applied"], done["unchanged"]) == ("done", 0, len(STAYING))
    assert done["api_calls"] == 0


def create_fleet(fleet_project: Callable[..., FleetProject]) -> FleetProject:
    """Make a fleet with a passphrase for each tenant and a database of the client's own."""
    fleet = fleet_project(0, waves=[1, "40%", "100%"], passphrase={"file": "passphrases/{tenant}"})
    (fleet.root / "passphrases").mkdir()
    for tenant in NAMES:
        (fleet.root / f"passphrases/{tenant}").write_text(f"the words of {tenant}")
    add_migration(fleet, "0001_parcels.sql", PARCELS)
    project = yaml.safe_load((fleet.root / "Pulumi.yaml").read_text())
    orders = project["config"]["flowflare:clients"]["value"]["orders"]
    orders["databases"] = {"SHOP": {"migrations": MIGRATIONS}}
    (fleet.root / "Pulumi.yaml").write_text(yaml.safe_dump(project, sort_keys=False))
    change_tenants(fleet, tenants={tenant: {} for tenant in NAMES})
    return fleet


def provision(fleet: FleetProject) -> None:
    """Deploy all tenants, although the command is killed once."""
    done: list[str] = []

    def half_are_up(event: dict[str, Any]) -> bool:
        done.extend([event["tenant"]] if event["event"] == "tenant-done" else [])
        return len(done) >= COUNT // 2

    fleet.kill_when(half_are_up, "up")
    rest = fleet.events("up")
    assert rest[0]["resumed"]
    assert not set(done) & {event["tenant"] for event in rest if event["event"] == "tenant-began"}
    assert set(fleet.outcomes().values()) == {"applied"}
    assert sorted(fleet.outcomes()) == NAMES


def upgrade(fleet: FleetProject, broken: str) -> None:
    """Apply a D1 migration to all tenants, although one fails first and the command is killed."""
    add_migration(fleet, "0002_weights.sql", WEIGHTS)
    refusal = {"kind": "answer", "status": 400, "code": 7500, "message": "no such table"}
    with fleet.account.inject_fault(refusal, pattern=own_database(fleet, broken)):
        stopped = fleet.events("up", code=1)[-1]
        assert stopped["event"] == "stopped"
        assert stopped["where"]["failed"] == [broken]
    fleet.kill_when(lambda event: event["event"] == "tenant-began", "up")
    fleet.events("up")
    assert set(fleet.outcomes().values()) == {"applied"}


def rotate(fleet: FleetProject) -> None:
    """Rotate the API key of every tenant in three steps without an interruption."""
    for keys in (
        {"apiKeys": [2, 1]},
        {"apiKeys": [2, 1], "apiKeyInUse": 2},
        {"apiKeys": [2], "apiKeyInUse": 2},
    ):
        change_tenants(fleet, defaults=keys)
        assert fleet.events("up")[-1]["applied"] == COUNT


def retire(fleet: FleetProject) -> None:
    """Retire tenants, each by name; their data is kept as exports."""
    retired = {"status": "retired"}
    change_tenants(fleet, tenants={name: retired if name in LEAVING else {} for name in NAMES})
    by_name = [word for name in LEAVING for word in ("--retire", name)]
    assert fleet.events("up", *by_name)[-1]["removed"] == RETIRED
    for tenant in LEAVING:
        exported = "".join(
            file.read_text()
            for file in (fleet.root / ".flowflare/exports").rglob("*.sql")
            if f"{tenant}-prod" in str(file)
        )
        assert f"of-{tenant}" in exported
        assert "parcels" in exported


def check_retired_tenants_are_removed(fleet: FleetProject) -> None:
    names = [
        *fleet.account.list_scripts(),
        *fleet.account.list_databases(),
        *fleet.account.list_workflows(),
    ]
    assert {name.split("-")[0] for name in names} == set(STAYING)


def check_keys_are_separate(lives: list[Life]) -> None:
    for life, other in zip(lives, lives[1:] + lives[:1], strict=True):
        assert life.status_for(life.key) == 200
        assert other.status_for(life.key) == 401


def check_passphrases_are_separate(fleet: FleetProject) -> None:
    one, other = STAYING[:2]
    with pytest.raises(SecretError):
        life_of(fleet, one, passphrase_of=other)


def add_migration(fleet: FleetProject, name: str, sql: str) -> None:
    folder = fleet.root / MIGRATIONS
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(sql)


def change_tenants(fleet: FleetProject, **parts: dict[str, Any]) -> None:
    """Change parts of tenants.yaml, and write the stacks' files."""
    file = fleet.root / "tenants.yaml"
    written = yaml.safe_load(file.read_text())
    for part, values in parts.items():
        written[part] |= values
    file.write_text(yaml.safe_dump(written, sort_keys=False))
    fleet.run_command("fleet", "config")
