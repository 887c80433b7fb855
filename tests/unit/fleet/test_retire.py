"""Taking tenants away: an export first, everybody for themselves, a kill at any moment."""

from hypothesis import given, settings
from hypothesis import strategies as st

from flowflare.fleet.rollout.retire import Leaving, Removal
from flowflare.fleet.rollout.rollout import Rules
from flowflare.fleet.rollout.unfinished import Unfinished
from flowflare.fleet.tenants.selection import Selection
from flowflare.fleet.workers.pool import Result, Task, TaskEvent
from flowflare.state.backends.folder import FolderStore
from tests.unit.fleet.fleets import Killed, Records

NAMES = ("a", "b", "c")


class Account(Records):
    """Three stacks with a database each, where exports go, and records."""

    def __init__(self) -> None:
        super().__init__()
        self.there = {f"{name}-prod" for name in NAMES}
        self.exported: set[str] = set()
        self.refuses: set[tuple[str, str]] = set()
        self.events: list = []

    def run(self, tasks, on_event=None):
        for task in tasks:
            on_event(TaskEvent(task, "began"))
            self.tick()
            if (task.kind, task.stack) in self.refuses:
                yield Result(task, ok=False, error="not now", seconds=1)
                continue
            yield Result(task, ok=True, value=self.done(task), seconds=1, api_calls=2)

    def done(self, task: Task) -> dict:
        if task.kind == "export":
            self.exported |= {task.stack} & self.there
            return {"place": "there", "databases": {"db": 3}}
        assert task.options["lose_data"] == "all"
        assert task.stack in self.exported
        self.there.discard(task.stack)
        return {"changed": 5}

    def stop(self) -> None:
        raise AssertionError("nobody stops it")


def remove(account: Account, *names: str, exports: str | None = "exports"):
    leaving = [Leaving(name, f"{name}-prod") for name in names or NAMES]
    removal = Removal(
        account, account, account.events.append, Rules(), outcome="retired", exports=exports
    )
    return removal.run(leaving)


def test_exports_come_before_anything_is_deleted() -> None:
    account = Account()
    removed = remove(account, "a", "b")
    assert (removed.gone, removed.failed, removed.api_calls) == (("a", "b"), (), 8)
    assert account.there == {"c-prod"}
    doing = [one.doing for one in account.events if one.event == "tenant-began"]
    assert doing == ["export", "export", "destroy", "destroy"]
    assert {one.outcome for one in account.records.values()} == {"retired"}


def test_who_cannot_be_exported_is_not_deleted() -> None:
    account = Account()
    account.refuses = {("export", "b-prod")}
    removed = remove(account)
    assert (removed.gone, removed.failed) == (("a", "c"), ("b",))
    assert account.there == {"b-prod"}
    assert account.records["b-prod"].outcome == "failed"
    assert account.records["b-prod"].error == "not now"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 14), max_size=4))
def test_kills_at_any_moment_delete_nothing_that_is_not_exported(kills: list[int]) -> None:
    account = Account()
    for steps in kills:
        account.kill_after = steps
        try:
            remove(account)
        except Killed:
            gone = {one.stack for one in account.records.values() if one.outcome == "retired"}
            assert not gone & account.there
    account.kill_after = 1_000_000
    assert remove(account).gone == NAMES
    assert not account.there


def test_an_unfinished_rollout_is_found_by_its_selection(tmp_path) -> None:
    """Each shard and each choice of tenants has its own; one that has ended is not found."""
    store = FolderStore(tmp_path)

    def unfinished(**words) -> Unfinished:
        return Unfinished(store, "shop", "prod", Selection(**words))

    first = unfinished().rollout()
    unfinished().begin(first)
    assert unfinished().rollout() == first
    others = [{"shard": (1, 2)}, {"shard": (2, 2)}, {"tenants": ("a",)}, {"tags": ("a",)}]
    ids = {unfinished(**words).rollout() for words in others}
    assert len(ids - {first}) == 4
    unfinished(tenants=("b", "a")).begin("r2")
    assert unfinished(tenants=("a", "b"), changed=True).rollout() == "r2"
    unfinished().end()
    assert unfinished().rollout() != first
    store.put(".flowflare/rollouts/shop/prod/all.json", b"half a")
    assert unfinished().rollout()
