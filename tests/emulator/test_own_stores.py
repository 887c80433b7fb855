"""Run each verb of the stores that clients' bindings make, against the embedded Cloudflare."""

import pytest

from flowflare.errors import EngineError
from flowflare.kinds.access import Access
from flowflare.kinds.account import Account as Seen
from flowflare.kinds.adoption import Findings, Wanted
from flowflare.kinds.contract import Kind, load_adopt, load_drift
from flowflare.kinds.handler import Diff, Existing
from flowflare.kinds.plugin_state import PluginState
from flowflare.kinds.registry import list_own
from flowflare.kinds.scene import Record, Scene
from flowflare.kinds.store_verbs import load_store
from flowflare.values.properties import Props, plain
from tests.emulator.emulated import Account, get, request
from tests.support.own_stores import OWN_STORES
from tests.support.tiers import keep_every


class Store:
    """A kind of store in an account of the emulator."""

    def __init__(self, account: Account, key: str) -> None:
        self.kind: Kind = list_own()[key]
        access = Access(
            {"baseUrl": account.running.base_url, "apiToken": account.running.token}, {}
        )
        handler = load_store(self.kind)
        example = OWN_STORES[key]
        self._key, self._account, self._others = handler.title, account.id, dict(example.inputs)
        self.changes: Props = dict(example.changes) or {self._key: "new"}
        self.handler = PluginState(handler(access))
        self.account = Seen(access.client, account.id)

    def inputs(self, name: str) -> Props:
        named = {"accountId": self._account, self._key: name}
        return self.handler.check(
            {}, {**named, **{key: plain(value) for key, value in self._others.items()}}
        )

    def drift(self, id_: str, inputs: Props) -> list[str]:
        # The engine decrypts secrets for a handler; a record has them marked.
        marked = {key: value for key, value in self._others.items() if plain(value) == inputs[key]}
        record = Record("cache", self.kind.type, id_, {**inputs, **marked}, {})
        compare = load_drift(self.kind)
        assert compare is not None
        # Each look is a new one: an account's lists are read once.
        account = Seen(self.account.client, self._account)
        return [
            finding.kind for finding in compare(Scene({self.kind.type: (record,)}, {}), account)
        ]


@pytest.fixture(params=keep_every(2, OWN_STORES))
def store(account: Account, request: pytest.FixtureRequest) -> Store:
    return Store(account, request.param)


def test_a_store_is_made_changed_and_deleted_and_drift_sees_each(store: Store) -> None:
    old = store.inputs("old")
    new = {**old, **store.changes}
    made = store.handler.create(old)
    assert store.drift(made.id, old) == []

    existing = Existing(made.id, old, made.outputs)
    assert store.handler.diff(existing, dict(old)).changes is False
    assert store.handler.diff(existing, new) == Diff(changes=True)
    updated = store.handler.update(existing, new)
    assert updated.items() >= new.items()
    assert store.drift(made.id, old) == ["changed"]
    assert store.drift(made.id, new) == []

    changed = store.handler.read(existing)
    assert changed is not None
    store.handler.delete(existing)
    store.handler.delete(existing)
    assert store.drift(made.id, new) == ["missing"]
    assert store.handler.read(existing) is None


def test_a_store_of_a_killed_run_is_found_and_a_strangers_is_refused(store: Store) -> None:
    made = store.handler.create(store.inputs("cache"))

    found = store.handler.recover(store.inputs("cache"))
    assert found is not None
    assert found.id == made.id
    assert store.handler.recover(store.inputs("other")) is None
    with pytest.raises(EngineError, match=r"already has a .* named 'cache'"):
        store.handler.create(store.inputs("cache"))


def test_a_store_made_by_hand_is_adopted_by_its_name(store: Store) -> None:
    made = store.handler.create(store.inputs("by-hand"))
    find = load_adopt(store.kind)
    assert find is not None

    def find_id(name: str) -> str | None:
        wanted = Wanted("cache", store.kind.type, (), store.inputs(name), store.handler)
        thing = find(wanted, store.account, Findings())
        return None if thing is None else thing.id

    assert find_id("by-hand") == made.id
    assert find_id("other") is None


FILLING = """
export default {
  async fetch(request, env) {
    if (request.method === "DELETE") await env.FILES.delete("a.txt");
    else await env.FILES.put("a.txt", "a");
    return new Response("done");
  },
};
"""


@pytest.mark.workerd
def test_a_bucket_with_objects_is_not_deleted_and_an_emptied_one_is(account: Account) -> None:
    store = Store(account, "r2Bucket")
    inputs = store.inputs("files")
    made = store.handler.create(inputs)
    bindings = [{"type": "r2_bucket", "name": "FILES", "bucket_name": "files"}]
    account.put("filling", FILLING, bindings=bindings)
    url = account.enable("filling")
    assert get(url).text == "done"

    refused = account.expect_refusal("DELETE", "/r2/buckets/files")
    assert (refused.status, refused.errors[0][0]) == (409, 10008)
    with pytest.raises(EngineError, match="because it holds objects") as caught:
        store.handler.delete(Existing(made.id, inputs, made.outputs))
    assert caught.value.remedy
    assert caught.value.remedy.startswith("Delete its objects first")

    assert request("DELETE", url).text == "done"
    store.handler.delete(Existing(made.id, inputs, made.outputs))
    assert store.handler.recover(inputs) is None


def test_another_name_replaces_a_bucket(account: Account) -> None:
    store = Store(account, "r2Bucket")
    old = store.inputs("old-files")
    existing = Existing("old-files", old, old)

    assert store.handler.diff(existing, store.inputs("new-files")).replaces == ("name",)
