"""The lease: one run at a time on any machine; a stale one is taken over, a lost one noticed."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from flowflare.errors import LockedError, StateError
from flowflare.state import lease as leases
from flowflare.state.backends.folder import FolderStore
from flowflare.state.backends.objects import ObjectStore
from flowflare.state.backends.store import Store
from flowflare.state.holder import Holder, read_this_process
from flowflare.state.lease import (
    Holding,
    Lease,
    acquire,
    end_lease,
    hold_lease,
    make_lease_key,
    read_lease,
)
from flowflare.state.watch import Clock
from tests.state.wire import Wire
from tests.support.waiting import wait_until

KEY = make_lease_key("p", "dev")
ELSEWHERE = Holder(7, "ann", "elsewhere", "another boot", "1")


@dataclass
class Time:
    """A clock that a test moves."""

    seconds: float = 0.0
    meanwhile: Callable[[], None] = lambda: None

    @property
    def clock(self) -> Clock:
        return self.of_a_machine(ahead=0.0)

    def of_a_machine(self, *, ahead: float) -> Clock:
        """The clocks of a machine whose date is wrong by some seconds."""
        return Clock(
            now=lambda: 1_800_000_000 + self.seconds + ahead,
            elapsed=lambda: self.seconds,
            sleep=self._pass,
        )

    def _pass(self, seconds: float) -> None:
        self.seconds += seconds
        self.meanwhile()


@pytest.fixture
def folder(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "state")


@pytest.fixture
def forget() -> Iterator[Callable[[Holding], None]]:
    """Lets this process forget a lease, as if it were another one's."""
    yield lambda holding: leases._HELD.discard(holding.lease.owner)
    leases._HELD.clear()


def _move_elsewhere(holding: Holding, forget: Callable[[Holding], None]) -> None:
    """Lets a run of this process look like one on another machine."""
    forget(holding)
    holding.lease = replace(holding.lease, holder=ELSEWHERE)
    holding.renew()


def put(store: Store, **fields: object) -> Lease:
    """A lease of a run elsewhere."""
    given = {"owner": "o", "holder": ELSEWHERE, "acquired": 1.8e9, "expires": 1.8e9 + 60, **fields}
    lease = Lease(**given)  # type: ignore[arg-type]
    store.put(KEY, lease.data)
    return lease


def test_it_is_held_released_and_held_again(store: ObjectStore) -> None:
    for generation in (1, 2):
        with hold_lease(store, "p", "dev") as holding:
            assert holding.taken is None
            found = read_lease(store, "p", "dev")
            assert found is not None
            assert (found.generation, found.released) == (generation, False)
            assert found.holder == read_this_process()
            with pytest.raises(LockedError, match=rf"held by another run: .*pid {os.getpid()}"):
                acquire(store, "p", "dev")
            with hold_lease(store, "p", "prod"):
                pass
        found = read_lease(store, "p", "dev")
        assert found is not None
        assert found.released


def test_of_runs_that_begin_at_once_one_gets_it(store: ObjectStore) -> None:
    got: list[Holding] = []
    refused: list[LockedError] = []

    def run() -> None:
        try:
            got.append(acquire(store, "p", "dev"))
        except LockedError as error:
            refused.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got), len(refused)) == (1, 3)
    got[0].check()
    got[0].release()


def test_it_is_renewed_while_its_run_lives(folder: FolderStore) -> None:
    with hold_lease(folder, "p", "dev", seconds=0.09) as holding:
        first = holding.lease.expires
        wait_until(lambda: holding.lease.expires > first)
    after = folder.get(KEY)
    threading.Event().wait(0.1)
    assert folder.get(KEY) == after, "nothing is renewed after the end"


BACKENDS = ["folder", "bucket"]


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> Store:
    made: Store = request.getfixturevalue("store" if request.param == "bucket" else "folder")
    return made


@pytest.mark.parametrize("backend", BACKENDS, indirect=True)
@pytest.mark.parametrize("ahead", [-3600.0, -90.0, 0.0, 90.0, 3600.0])
def test_a_live_lease_is_never_taken_whatever_a_machines_date_is(
    backend: Store, ahead: float, forget: Callable[[Holding], None]
) -> None:
    time = Time()
    living = acquire(backend, "p", "dev", clock=time.clock)
    _move_elsewhere(living, forget)
    renewed = time.seconds

    def renew() -> None:
        nonlocal renewed
        if time.seconds - renewed >= 20:
            living.renew()
            renewed = time.seconds

    time.meanwhile = renew
    reader = time.of_a_machine(ahead=ahead)
    for _ in range(3):
        with pytest.raises(LockedError, match=r"ann@elsewhere \(pid 7\)"):
            acquire(backend, "p", "dev", clock=reader)
        time._pass(25.0)
    living.check()


@pytest.mark.parametrize("backend", BACKENDS, indirect=True)
@pytest.mark.parametrize("ahead", [-3600.0, -90.0, 0.0, 90.0, 3600.0])
def test_a_dead_runs_lease_is_taken_over_when_it_was_watched_for_its_time(
    backend: Store, ahead: float
) -> None:
    time = Time()
    lease = put(backend)
    reader, notes = time.of_a_machine(ahead=ahead), list[str]()
    while True:
        try:
            holding = acquire(backend, "p", "dev", clock=reader, on_wait=notes.append)
            break
        except LockedError:
            time._pass(0.5)
    assert (holding.taken, holding.lease.generation) == (lease, 2)
    assert 62 <= time.seconds < 63
    assert all("whether the lease of ann@elsewhere (pid 7)" in note for note in notes)


def test_a_lease_that_is_released_while_it_is_watched_is_taken_at_once(folder: FolderStore) -> None:
    time = Time()
    lease = put(folder)
    time.meanwhile = lambda: folder.put(KEY, replace(lease, released=True).data) and None
    assert acquire(folder, "p", "dev", clock=time.of_a_machine(ahead=90)).taken is None
    assert time.seconds < 6


@pytest.mark.parametrize(
    "change", ["dead", "unburied", "another began", "another machine", "alive"]
)
def test_only_a_run_that_is_provably_dead_is_not_waited_for(
    folder: FolderStore, change: str
) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    unburied = subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    began = _began(unburied.pid)
    assert unburied.stdin is not None
    assert unburied.stdout is not None
    unburied.stdin.close()
    status = Path(f"/proc/{unburied.pid}/stat")
    wait_until(lambda: status.read_text().rpartition(")")[2].split()[0] == "Z")
    me = read_this_process()
    holder = {
        "dead": replace(me, pid=ended.pid),
        "unburied": replace(me, pid=unburied.pid, began=began),
        "another began": replace(me, pid=1, began="0"),
        "another machine": replace(me, pid=ended.pid, machine="another boot"),
        "alive": replace(me, pid=os.getppid(), began=_began(os.getppid())),
    }[change]
    put(folder, holder=holder)
    if change in ("dead", "unburied", "another began"):
        assert acquire(folder, "p", "dev").taken is not None
    else:
        with pytest.raises(LockedError):
            acquire(folder, "p", "dev", clock=Time().clock)
    unburied.stdout.close()
    unburied.wait()


def _began(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


def test_a_process_takes_back_what_it_lost_track_of(
    folder: FolderStore, forget: Callable[[Holding], None]
) -> None:
    lost = acquire(folder, "p", "dev")
    forget(lost)
    assert acquire(folder, "p", "dev").lease.generation == 2


def test_a_run_that_slept_through_its_lease_keeps_it_if_it_is_still_there(
    folder: FolderStore,
) -> None:
    time = Time()
    holding = acquire(folder, "p", "dev", clock=time.clock)
    before = folder.get(KEY)
    time.seconds = 40
    holding.check()
    assert folder.get(KEY) == before, "it is not due"
    time.seconds = 4000
    holding.check()
    found = read_lease(folder, "p", "dev")
    assert found is not None
    assert found.expires == 1_800_000_000 + 4060
    holding.release()


def test_a_run_that_slept_through_its_lease_notices_that_it_was_taken(
    folder: FolderStore, forget: Callable[[Holding], None]
) -> None:
    time = Time()
    sleeper = acquire(folder, "p", "dev", clock=time.clock)
    forget(sleeper)
    other = acquire(folder, "p", "dev")
    time.seconds = 4000
    for _ in range(2):
        with pytest.raises(StateError, match=r"seemed dead.*this run stops writing"):
            sleeper.check()
    before = folder.get(KEY)
    sleeper.release()
    assert folder.get(KEY) == before, "it is another's"
    other.check()


@pytest.mark.parametrize("what", ["removed", "released"])
def test_a_run_notices_that_it_was_unlocked(folder: FolderStore, what: str) -> None:
    time = Time()
    holding = acquire(folder, "p", "dev", clock=time.clock)
    if what == "removed":
        folder.delete(KEY)
    else:
        folder.put(KEY, replace(holding.lease, released=True).data)
    time.seconds = 50
    with pytest.raises(StateError, match=what):
        holding.check()


def test_a_lost_answer_loses_nothing(wire: Wire, store: ObjectStore) -> None:
    wire.trouble("PUT", "answer-lost")
    holding = acquire(store, "p", "dev")
    wire.trouble("PUT", "unheard", "answer-lost")
    holding.renew()
    wire.trouble("PUT", "answer-lost", "answer-lost", "answer-lost")
    with pytest.raises(StateError, match="does not answer"):
        holding.renew()
    holding.renew()  # what is there is its own, of an answer that never came
    wire.trouble("PUT", "answer-lost")
    holding.release()
    found = read_lease(store, "p", "dev")
    assert found is not None
    assert found.released


def test_a_connection_that_stays_cut_stops_the_run_before_it_writes(
    wire: Wire, store: ObjectStore
) -> None:
    time = Time()
    holding = acquire(store, "p", "dev", clock=time.clock)
    time.seconds = 47
    holding.check()
    time.seconds = 49
    wire.trouble("PUT", *["unheard"] * 3)
    with pytest.raises(StateError, match="does not answer"):
        holding.check()
    holding.check()
    wire.trouble("PUT", *["unheard"] * 3)
    holding.release()
    found = read_lease(store, "p", "dev")
    assert found is not None
    assert not found.released, "it ends by itself"


def test_unlock_ends_it(folder: FolderStore) -> None:
    assert end_lease(folder, "p", "dev") is None
    lease = put(folder)
    assert end_lease(folder, "p", "dev") == lease
    assert end_lease(folder, "p", "dev") is None
    with hold_lease(folder, "p", "dev") as holding:
        assert holding.lease.generation == 2
        with pytest.raises(LockedError, match="run that is alive"):
            end_lease(folder, "p", "dev")


@pytest.mark.parametrize("text", ["", "[]", '{"owner": 1}'])
def test_one_that_cannot_be_read_is_left_to_unlock(folder: FolderStore, text: str) -> None:
    folder.put(KEY, text.encode())
    with pytest.raises(
        StateError, match=r"dev.json is not a valid lease\n.*flowflare unlock --stack dev"
    ):
        acquire(folder, "p", "dev")
    end_lease(folder, "p", "dev")
    acquire(folder, "p", "dev").release()


def test_the_object_says_who_and_until_when(folder: FolderStore) -> None:
    with hold_lease(folder, "p", "dev"):
        stored = folder.get(KEY)
        assert stored is not None
        raw = json.loads(stored.data)
        assert {"owner", "pid", "hostname", "acquired", "expires", "generation"} <= raw.keys()
        assert raw["expires"] > raw["acquired"]
        assert raw["acquired"].startswith("20")
