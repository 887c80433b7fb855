"""Records of two runs over the same tenants: neither writes over what the other one tells."""

from pathlib import Path

from flowflare.fleet.records import Fingerprint, Outcome, Records, TenantRecord
from flowflare.state.backends.folder import FolderStore
from flowflare.state.lease import held

NOW = Fingerprint(digest="1", parts={"code": "1"})


def record(outcome: Outcome, rollout: str) -> TenantRecord:
    return TenantRecord(
        stack="acme-prod", outcome=outcome, fingerprint=NOW, at=rollout, rollout=rollout
    )


def two_runs(folder: Path) -> tuple[FolderStore, Records, Records]:
    store = FolderStore(folder)
    runs = Records(store, "shop", "prod"), Records(store, "shop", "prod")
    for one in runs:
        one.all()
    return store, *runs


def test_whoever_comes_second_is_told_what_the_first_has_done(tmp_path: Path) -> None:
    _, first, second = two_runs(tmp_path)
    assert first.claim(record("running", "a")) is None
    first.write(record("applied", "a"))
    found = second.claim(record("running", "b"))
    assert found is not None
    assert found.holds(NOW)
    assert first.all()["acme-prod"].rollout == "a"


def test_who_is_at_work_keeps_the_record(tmp_path: Path) -> None:
    store, first, _ = two_runs(tmp_path)
    first.claim(record("running", "a"))
    later = Records(store, "shop", "prod")
    later.all()
    with held(store, "shop", "acme-prod"):
        found = later.claim(record("running", "b"))
        assert found is not None
        assert found.rollout == "a"
    later.release("acme-prod")
    assert first.all()["acme-prod"].rollout == "a"


def test_the_last_claim_tells_how_it_ended(tmp_path: Path) -> None:
    store, first, _ = two_runs(tmp_path)
    first.claim(record("running", "a"))
    later = Records(store, "shop", "prod")
    later.all()
    assert later.claim(record("running", "b")) is None
    first.write(record("applied", "a"))
    assert later.all()["acme-prod"].outcome == "running"
    later.write(record("failed", "b"))
    assert later.all()["acme-prod"].outcome == "failed"


def test_a_claim_that_is_taken_back_leaves_what_was_there(tmp_path: Path) -> None:
    store, first, _ = two_runs(tmp_path)
    first.claim(record("running", "a"))
    later = Records(store, "shop", "prod")
    later.all()
    later.claim(record("running", "b"))
    later.release("acme-prod")
    first.write(record("applied", "a"))
    assert later.all(["acme-prod"])["acme-prod"].outcome == "applied"
    assert later.all(["other-prod"]) == {}
    store, first, _ = two_runs(tmp_path / "new")
    first.claim(record("running", "a"))
    first.release("acme-prod")
    assert first.all() == {}
