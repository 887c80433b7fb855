"""Removing tenants: exports come first, failures stay separate, and kills lose nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from flowflare.fleet.rollout.retire import Removal
from flowflare.fleet.rollout.rollout import RolloutRules
from flowflare.fleet.rollout.unfinished import UnfinishedRollout
from flowflare.fleet.tenants.selection import Selection
from flowflare.fleet.workers.pool import Result, Task, TaskEvent
from flowflare.state.backends.folder import FolderStore
from tests.unit.fleet.fleets import FakeRecords, Killed

NAMES = ("a", "b", "c")


class Account(FakeRecords):
    """Three stacks with a database each, a place for exports, and records."""

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
            yield Result(task, ok=True, value=self.perform(task), seconds=1, api_calls=2)

    def perform(self, task: Task) -> dict:
        if task.kind == "export":
            self.exported |= {task.stack} & self.there
            return {"place": "there", "databases": {"db": 3}}
        assert task.options["lose_data"] == "all"
        assert task.stack in self.exported
        self.there.discard(task.stack)
        return {"changed": 5}

    def stop(self) -> None:
        raise AssertionError("a removal does not stop its runner")


def remove(account: Account, *names: str, exports: str | None = "exports"):
    leaving = {f"{name}-prod": name for name in names or NAMES}
    removal = Removal(
        account, account, account.events.append, RolloutRules(), outcome="retired", exports=exports
    )
    return removal.run(leaving)


def test_exports_come_before_anything_is_deleted() -> None:
    account = Account()
    removed = remove(account, "a", "b")
    assert (removed.removed, removed.failed, removed.api_calls) == (("a", "b"), (), 8)
    assert account.there == {"c-prod"}
    doing = [event.doing for event in account.events if event.event == "tenant-began"]
    assert doing == ["export", "export", "destroy", "destroy"]
    assert {record.outcome for record in account.records.values()} == {"retired"}


def test_a_tenant_that_cannot_be_exported_is_not_deleted() -> None:
    account = Account()
    account.refuses = {("export", "b-prod")}
    removed = remove(account)
    assert (removed.removed, removed.failed) == (("a", "c"), ("b",))
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
            records = account.records.values()
            removed = {record.stack for record in records if record.outcome == "retired"}
            assert not removed & account.there
    account.kill_after = 1_000_000
    assert remove(account).removed == NAMES
    assert not account.there


def test_an_unfinished_rollout_is_found_by_its_selection(tmp_path) -> None:
    """Each shard and each selection has its own rollout; a rollout that has ended is not found."""
    store = FolderStore(tmp_path)

    def open_unfinished(**words) -> UnfinishedRollout:
        return UnfinishedRollout(store, "shop", "prod", Selection(**words))

    first = open_unfinished().read_or_create_id()
    open_unfinished().begin(first)
    assert open_unfinished().read_or_create_id() == first
    others = [{"shard": (1, 2)}, {"shard": (2, 2)}, {"tenants": ("a",)}, {"tags": ("a",)}]
    ids = {open_unfinished(**words).read_or_create_id() for words in others}
    assert len(ids - {first}) == 4
    open_unfinished(tenants=("b", "a")).begin("r2")
    assert open_unfinished(tenants=("a", "b"), changed=True).read_or_create_id() == "r2"
    open_unfinished().end()
    assert open_unfinished().read_or_create_id() != first
    store.put(".flowflare/rollouts/shop/prod/all.json", b"half a")
    assert open_unfinished().read_or_create_id()
