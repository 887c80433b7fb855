"""The status of tenants, from their records, leases and files."""

from pathlib import Path

import pytest

from flowflare.cli.main import main
from flowflare.fleet.records import TenantRecord, TenantRecords
from flowflare.fleet.status import FleetStatus, read_status
from flowflare.state.backends.folder import FolderStore
from flowflare.state.lease import hold_lease
from tests.unit.fleet.test_preview import make, open_prod, record, write_tenants

TENANTS = {name: {} for name in ("applied", "changed", "never", "failed", "ill", "cut", "busy")}
TENANTS |= {"off": {"status": "suspended"}, "gone": {"status": "retired"}}
TENANTS |= {"going": {"status": "retired"}}


def states(found: FleetStatus) -> dict[str, str]:
    return {tenant.tenant: tenant.state for tenant in found.tenants}


def test_every_tenant_has_one_state(tmp_path: Path) -> None:
    root = make(tmp_path / "shop", {**TENANTS, "left": {}, "away": {}})
    session = open_prod(root)
    for name in ("applied", "changed", "busy", "going", "left"):
        record(session, f"{name}-prod", release="1.2.3", api_calls=15)
    record(session, "failed-prod", outcome="failed", error="no\nand more")
    record(session, "ill-prod", outcome="unhealthy", error="no answer")
    record(session, "cut-prod", outcome="running")
    record(session, "off-prod", outcome="suspended")
    record(session, "gone-prod", outcome="retired")
    record(session, "away-prod", outcome="retired")
    changed = {"changed": {"config": {"debug": True}}}
    write_tenants(root, {**TENANTS, **changed})
    with hold_lease(session.store, "shop", "busy-prod") as holding:
        found = read_status(open_prod(root))
    assert states(found) == {
        "failed": "failed",
        "ill": "unhealthy",
        "cut": "interrupted",
        "busy": "running",
        "going": "leaving",
        "left": "unlisted",
        "changed": "changed",
        "never": "never",
        "off": "suspended",
        "applied": "applied",
        "gone": "retired",
    }
    # Tenants that need attention come first. Retired tenants that are not in the file are omitted.
    assert [tenant.state for tenant in found.tenants][:2] == ["failed", "unhealthy"]
    by_name = {tenant.tenant: tenant for tenant in found.tenants}
    assert by_name["busy"].by == str(holding.lease.holder)
    assert by_name["changed"].why == "configuration"
    assert by_name["failed"].why == "no"
    assert (by_name["applied"].release, by_name["applied"].api_calls) == ("1.2.3", 15)
    assert sum(found.counts.values()) == len(found.tenants) == 11


def test_a_run_that_has_ended_no_longer_counts_as_running(tmp_path: Path) -> None:
    session = open_prod(make(tmp_path / "shop", {"acme": {}}))
    record(session, "acme-prod")
    with hold_lease(session.store, "shop", "acme-prod"):
        pass
    assert states(read_status(session)) == {"acme": "applied"}


def test_a_state_that_was_written_outside_the_fleet_counts_as_changed(tmp_path: Path) -> None:
    session = open_prod(make(tmp_path / "shop", {"acme": {}, "beta": {}, "gone": {}}))
    for tenant in ("acme", "beta", "gone"):
        session.store.put(f".pulumi/stacks/shop/{tenant}-prod.json", b"one")
        session.store.put(f".pulumi/stacks/shop/{tenant}-prod.json.bak", b"before")
        record(session, f"{tenant}-prod")
    session.store.put(".pulumi/stacks/shop/beta-prod.json", b"two")
    session.store.delete(".pulumi/stacks/shop/gone-prod.json")
    found = read_status(session)
    assert states(found) == {"beta": "changed", "gone": "changed", "acme": "applied"}
    assert found.tenants[0].why == "its state was changed outside `flowflare fleet`"


def test_only_selected_tenants_are_reported(tmp_path: Path) -> None:
    root = make(tmp_path / "shop", {"acme": {}, "beta": {}})
    assert states(read_status(open_prod(root, "beta"), all_tenants=False)) == {"beta": "never"}


def test_a_long_list_of_tenants_in_one_state_is_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make(tmp_path / "shop", {f"t{number:02}": {} for number in range(30)} | {"fine": {}})
    record(open_prod(root), "fine-prod")
    with pytest.raises(SystemExit, match="0"):
        main(["fleet", "status", "-e", "prod", "-C", str(root)])
    text = capsys.readouterr().out
    assert text.startswith(
        "shop: 31 tenants in prod\n      30  never applied\n       1  up to date\n"
    )
    assert "t19 " in text
    assert "t20 " not in text
    assert "... and 10 more: --all lists them" in text
    with pytest.raises(SystemExit, match="0"):
        main(["fleet", "status", "-e", "prod", "-C", str(root), "--all", "--changed"])
    text = capsys.readouterr().out
    assert "t29 " in text
    assert "fine" not in text
    assert "more" not in text


# Records ------------------------------------------------------------------------------------------


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    session = open_prod(make(tmp_path / "shop", {"acme": {}}))
    record(session, "acme-prod", seconds=1.5, wave=2, rollout="r")
    [known] = session.records.read_all().values()
    assert session.records.get("acme-prod") == known
    assert (known.seconds, known.wave, known.rollout) == (1.5, 2, "r")
    assert known.fingerprint is not None
    assert known.holds(known.fingerprint)
    session.records.delete("acme-prod")
    assert session.records.read_all() == {}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"format": 2}', '{"format": 1, "stack": "other-prod"}', "\x00\x01"],
)
def test_a_record_that_cannot_be_read_counts_as_failed(tmp_path: Path, text: str) -> None:
    store = FolderStore(tmp_path)
    store.put(".flowflare/fleet/shop/prod/acme.json", text.encode())
    [found] = TenantRecords(store, "shop", "prod").read_all().values()
    assert (found.stack, found.outcome) == ("acme-prod", "failed")
    assert "cannot be read" in found.error


def test_environments_and_projects_have_separate_records(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    for project, environment in (("shop", "prod"), ("shop", "dev"), ("shop2", "prod")):
        applied = TenantRecord(stack=f"acme-{environment}", outcome="applied", at="")
        TenantRecords(store, project, environment).write(applied)
    assert list(TenantRecords(store, "shop", "prod").read_all()) == ["acme-prod"]
