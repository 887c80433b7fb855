"""The embedded engine's state in a bucket: two writers, lost locks, cut lines, passphrases."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flowflare.config.files import read_project
from flowflare.engine.contract import Event
from flowflare.engine.embedded.stack import EmbeddedStack
from flowflare.errors import ConflictError, FlowflareError, LockedError, SecretError, StateError
from flowflare.state.backend import Backend
from flowflare.state.backends.objects import ObjectStore
from flowflare.state.backends.store import StoredObject
from flowflare.state.checkpoint import Deployment
from flowflare.state.holder import Holder
from flowflare.state.lease import make_lease_key, read_lease
from flowflare.state.lock import read_locks
from flowflare.state.passphrase import Passphrase, Vault
from tests.engine.projects import PASSPHRASE, SALT, Sample, Things, list_ops, make_sample
from tests.state.conftest import PROGRAM
from tests.state.test_lease import Time
from tests.state.wire import Wire

CHECKPOINT = ".pulumi/stacks/p/dev.json"
LEASE = make_lease_key("p", "dev")


def latest(store: ObjectStore) -> dict[str, Any]:
    stored = store.get(CHECKPOINT)
    assert stored is not None
    found: dict[str, Any] = json.loads(stored.data)["checkpoint"]["latest"]
    return found


def read_history(store: ObjectStore) -> list[dict[str, Any]]:
    """The history, oldest first; each has the state after it beside it."""
    keys = store.keys(".pulumi/history/p/dev/dev-")
    infos = [key for key in keys if key.endswith(".history.json")]
    assert [key.replace(".history", ".checkpoint") for key in infos] == [
        key for key in keys if key not in infos
    ]
    return [json.loads(stored.data) for stored in store.read_many(infos).values()]


def meddling(what: Callable[[], object]) -> Callable[[Event], None]:
    """Does something in the middle of a run: `z` is made, `w` is not."""

    def on_event(event: Event) -> None:
        if event.kind == "done" and event.step is not None and event.step.name == "z":
            what()

    return on_event


def test_a_stack_lives_in_a_bucket_as_the_cli_lays_it_out(
    sample: Sample, store: ObjectStore, world: Things
) -> None:
    assert list_ops(sample.open().up()) == {"z": "create", "w": "create"}
    assert world.list_ids() == ["w-a", "z-a"]
    keys = store.keys("")
    assert {CHECKPOINT, f"{CHECKPOINT}.bak", ".pulumi/meta.yaml"} <= set(keys)
    assert store.keys(".pulumi/locks/") == []
    assert not any(b"canary" in stored.data for stored in store.read_many(keys).values())
    assert not (sample.root / ".flowflare/state").exists()
    assert sample.open().up().changed == 0
    assert sample.open().outputs(show_secrets=True) == {"token": "token-of-z-a"}
    with pytest.raises(FlowflareError, match="z-a blew up"):
        sample.write_program(PROGRAM.replace("canary-of-z", "boom")).open().up()
    sample.open().destroy()
    assert [(run["kind"], run["result"]) for run in read_history(store)] == [
        ("update", "succeeded"),
        ("update", "failed"),
        ("destroy", "succeeded"),
    ]
    assert world.list_ids() == []
    assert "resources" not in latest(store)


def test_another_run_is_kept_out_by_lease_and_lock(sample: Sample, store: ObjectStore) -> None:
    said: list[str] = []

    def second_run() -> None:
        with pytest.raises(LockedError, match="held by another run"):
            sample.open().up()
        (lock,) = read_locks(Backend(store, "p", "dev"))
        said.append(str(lock.holder))
        with pytest.raises(LockedError, match="run that is alive"):
            sample.open().unlock()

    sample.open().up(meddling(second_run))
    assert len(said) == 1
    assert sample.open().unlock() == []


def test_the_clis_lock_is_honoured_in_a_bucket(sample: Sample, store: ObjectStore) -> None:
    lock = {"pid": 7, "username": "ann", "hostname": "ci", "timestamp": "2026-11-23T18:50Z"}
    store.put(".pulumi/locks/organization/p/dev/1.json", json.dumps(lock).encode())
    with pytest.raises(LockedError, match=r"locked by another run: ann@ci \(pid 7\)"):
        sample.open().up()
    assert [str(lock) for lock in sample.open().unlock()] == [
        "ann@ci (pid 7) since 2026-11-23T18:50Z"
    ]
    assert sample.open().up().changed == 2


def test_what_a_run_killed_on_another_machine_left_is_taken_over(
    sample: Sample, store: ObjectStore
) -> None:
    elsewhere = Holder(7, "ann", "elsewhere", "another boot", "1")
    left: dict[str, bytes] = {}

    def keep() -> None:
        """Keeps lock and lease as a run elsewhere would have left them."""
        (lock,) = read_locks(Backend(store, "p", "dev"))
        raw = json.loads(store.read_many([lock.key])[lock.key].data)
        left[lock.key] = json.dumps({**raw, **vars(elsewhere)}).encode()
        lease = read_lease(store, "p", "dev")
        assert lease is not None
        left[LEASE] = replace(lease, holder=elsewhere, seconds=-9).data

    sample.open().up(meddling(keep))
    for key, data in left.items():
        store.put(key, data)
    events: list[Event] = []
    sample.open().up(events.append)
    assert "took over the stack from a dead run: ann@elsewhere" in events[0].message
    assert store.keys(".pulumi/locks/") == []


def test_a_run_killed_here_is_taken_over_at_once(
    sample: Sample, store: ObjectStore, world: Things
) -> None:
    sample.write_program(
        PROGRAM + "    import os; z.token.apply(lambda _: os.kill(os.getpid(), 9))\n"
    )
    program = (
        "import sys, pathlib; from tests.support.embedded import open_embedded;"
        "open_embedded(pathlib.Path(sys.argv[1]), 'dev').up()"
    )
    killed = subprocess.run(
        [sys.executable, "-c", program, sample.root], env=os.environ | sample.environ, check=False
    )
    assert killed.returncode == -9
    lease = read_lease(store, "p", "dev")
    assert lease is not None
    assert not lease.released
    assert len(read_locks(Backend(store, "p", "dev"))) == 1
    events: list[Event] = []
    sample.write_program(PROGRAM).open().up(events.append)
    assert "took over the stack from a dead run" in events[0].message
    assert world.list_ids() == ["w-a", "z-a"]


def test_a_run_that_lost_its_lease_writes_and_makes_nothing_more(
    sample: Sample, store: ObjectStore, world: Things
) -> None:
    time = Time()
    stack = EmbeddedStack(
        read_project(sample.root, "dev"), environ=sample.environ, lease_clock=time.clock
    )
    kept: list[StoredObject | None] = []

    def sleep_too_long() -> None:
        lease = read_lease(store, "p", "dev")
        assert lease is not None
        store.put(LEASE, replace(lease, owner="another").data)
        time.seconds += 100
        kept.append(store.get(CHECKPOINT))

    with pytest.raises(FlowflareError, match="this run stops writing"):
        stack.up(meddling(sleep_too_long))
    assert [stored and stored.data for stored in [store.get(CHECKPOINT)]] == [
        kept[0] and kept[0].data
    ]
    assert world.list_ids() == ["z-a"]
    lease = read_lease(store, "p", "dev")
    assert lease is not None
    assert (lease.owner, lease.released) == ("another", False)


def test_a_state_that_another_program_wrote_is_not_overwritten(
    sample: Sample, store: ObjectStore, world: Things
) -> None:
    def write() -> None:
        stored = store.get(CHECKPOINT)
        assert stored is not None
        store.put(CHECKPOINT, stored.data + b"\n")

    with pytest.raises(FlowflareError, match="changed by another program during this run"):
        sample.open().up(meddling(write))
    stored = store.get(CHECKPOINT)
    assert stored is not None
    assert stored.data.endswith(b"\n")
    assert len(world.list_ids()) == 1, "nothing was made that is not in state"


def test_a_run_survives_a_bad_connection(sample: Sample, store: ObjectStore, wire: Wire) -> None:
    wire.trouble(f"PUT /{store.url[5:]}/{CHECKPOINT} ", "unheard", "answer-lost", "answer-torn")
    wire.trouble("GET", "answer-lost", "unheard")
    assert sample.open().up().changed == 2
    assert wire.troubles == []
    assert "pending_operations" not in latest(store)
    assert sample.open().up().changed == 0


def test_a_state_whose_answer_was_lost_for_good_is_still_ones_own(
    store: ObjectStore, wire: Wire
) -> None:
    backend = Backend(store, "p", "dev")
    write = backend.make_writer(Vault(Passphrase(PASSPHRASE, "test"), SALT))
    write(Deployment(salt=SALT))
    wire.trouble(f"{CHECKPOINT} ", *["answer-lost"] * 3)
    with pytest.raises(StateError, match="does not answer"):
        write(Deployment())
    assert wire.troubles == []
    write(Deployment(salt=SALT))
    other = backend.make_writer(Vault(Passphrase(PASSPHRASE, "test"), SALT))
    other(Deployment())
    with pytest.raises(ConflictError, match="stack dev"):
        write(Deployment(salt=SALT))


def test_what_the_cli_compressed_is_read(sample: Sample, store: ObjectStore) -> None:
    sample.open().up()
    stored = store.get(CHECKPOINT)
    assert stored is not None
    store.put(f"{CHECKPOINT}.gz", gzip.compress(stored.data))
    store.delete(CHECKPOINT)
    assert sample.open().up().changed == 0
    sample.open().destroy()
    assert CHECKPOINT in store.keys("")
    assert f"{CHECKPOINT}.gz" not in store.keys("")


def test_one_tenants_passphrase_opens_nothing_of_another(
    sample: Sample, tmp_path: Path, store: ObjectStore
) -> None:
    sample.open().up()
    before = {key: one.data for key, one in store.read_many(store.keys("")).items()}
    other = make_sample(tmp_path / "other", PROGRAM)
    for thief in (sample, other):
        thief.environ |= {**sample.environ, "PULUMI_CONFIG_PASSPHRASE": "of another tenant"}
        with pytest.raises(SecretError, match="does not decrypt this stack's secrets"):
            thief.open().outputs(show_secrets=True)
        with pytest.raises(SecretError, match="does not decrypt this stack's secrets"):
            thief.open().up()
    del before[LEASE]
    assert before == {
        key: one.data for key, one in store.read_many(store.keys("")).items() if key != LEASE
    }


def test_a_reference_is_read_from_the_bucket(sample: Sample, tmp_path: Path) -> None:
    sample.open().up()
    takes = """
        import pulumi
        pulumi.export("taken", pulumi.StackReference("organization/p/dev").get_output("token"))
    """
    other = make_sample(tmp_path / "other", takes)
    (other.root / "Pulumi.yaml").write_text("name: q\nruntime: python\nmain: infra\n")
    other.environ |= sample.environ
    other.open().up()
    assert other.open().outputs(show_secrets=True) == {"taken": "token-of-z-a"}
    assert other.open().outputs() == {"taken": "[secret]"}
