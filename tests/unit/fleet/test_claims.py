"""TenantRecords of two runs over the same tenants: neither run overwrites the other's outcome."""

from pathlib import Path

from flowflare.fleet.records import Fingerprint, Outcome, TenantRecord, TenantRecords
from flowflare.state.backends.folder import FolderStore
from flowflare.state.lease import hold_lease

NOW = Fingerprint(digest="1", parts={"code": "1"})


def record(outcome: Outcome, rollout: str) -> TenantRecord:
    return TenantRecord(
        stack="acme-prod", outcome=outcome, fingerprint=NOW, at=rollout, rollout=rollout
    )


def two_runs(folder: Path) -> tuple[FolderStore, TenantRecords, TenantRecords]:
    store = FolderStore(folder)
    runs = TenantRecords(store, "shop", "prod"), TenantRecords(store, "shop", "prod")
    for records in runs:
        records.read_all()
    return store, *runs


def test_the_second_run_gets_the_record_of_the_first(tmp_path: Path) -> None:
    _, first, second = two_runs(tmp_path)
    assert first.claim(record("running", "a")) is None
    first.write(record("applied", "a"))
    found = second.claim(record("running", "b"))
    assert found is not None
    assert found.holds(NOW)
    assert first.read_all()["acme-prod"].rollout == "a"


def test_a_run_in_progress_keeps_its_record(tmp_path: Path) -> None:
    store, first, _ = two_runs(tmp_path)
    first.claim(record("running", "a"))
    later = TenantRecords(store, "shop", "prod")
    later.read_all()
    with hold_lease(store, "shop", "acme-prod"):
        found = later.claim(record("running", "b"))
        assert found is not None
        assert found.rollout == "a"
    later.release("acme-prod")
    assert first.read_all()["acme-prod"].rollout == "a"


def test_only_the_run_with_the_last_claim_writes_its_outcome(tmp_path: Path) -> None:
    store, first, _ = two_runs(tmp_path)
    first.claim(record("running", "a"))
    later = TenantRecords(store, "shop", "prod")
    later.read_all()
    assert later.claim(record("running", "b")) is None
    first.write(record("applied", "a"))
    assert later.read_all()["acme-prod"].outcome == "running"
    later.write(record("failed", "b"))
    assert later.read_all()["acme-prod"].outcome == "failed"


def test_a_released_claim_restores_the_earlier_record(tmp_path: Path) -> None:
    store, first, _ = two_runs(tmp_path)
    first.claim(record("running", "a"))
    later = TenantRecords(store, "shop", "prod")
    later.read_all()
    later.claim(record("running", "b"))
    later.release("acme-prod")
    first.write(record("applied", "a"))
    assert later.read_all(["acme-prod"])["acme-prod"].outcome == "applied"
    assert later.read_all(["other-prod"]) == {}
    store, first, _ = two_runs(tmp_path / "new")
    first.claim(record("running", "a"))
    first.release("acme-prod")
    assert first.read_all() == {}
