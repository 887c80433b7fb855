"""The store in a container of Azure Blob Storage, against Azurite."""

import itertools
from collections.abc import Iterator

import pytest

from flowflare.errors import ConflictError, StateError
from flowflare.state.backends.probe import find_unsupported_conditions
from flowflare.state.backends.registry import open_store
from flowflare.state.backends.store import ABSENT, Store
from flowflare.state.lease import hold_lease, read_lease
from tests.state.azurite import IS_INSTALLED, Azurite, serve_azurite
from tests.state.writers import count_together

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not IS_INSTALLED, reason="Azurite is not installed: make azurite"),
]
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def azurite() -> Iterator[Azurite]:
    with serve_azurite() as served:
        yield served


@pytest.fixture
def container(azurite: Azurite) -> str:
    name = f"container-{next(_NUMBERS)}"
    azurite.make_container(name)
    return name


@pytest.fixture
def store(azurite: Azurite, container: str) -> Store:
    return open_store(f"azblob://{container}/team/a", azurite.environ)


def test_objects_come_back_below_the_prefix(azurite: Azurite, container: str, store: Store) -> None:
    tag = store.put(".pulumi/meta.yaml", b"version: 1\n", only_if=ABSENT)
    whole = open_store(f"azblob://{container}", azurite.environ)
    assert whole.keys("") == ["team/a/.pulumi/meta.yaml"]
    stored = store.get(".pulumi/meta.yaml")
    assert stored is not None
    assert (stored.data, stored.tag) == (b"version: 1\n", tag)
    assert store.copy(".pulumi/meta.yaml", "b")
    assert not store.copy("none", "c")
    assert set(store.read_many(["b", "none", ".pulumi/meta.yaml"])) == {"b", ".pulumi/meta.yaml"}
    assert list(store.tags(".pulumi/", ending=".yaml").items()) == [(".pulumi/meta.yaml", tag)]
    store.delete("b")
    store.delete("b")
    assert store.get("b") is None


def test_a_write_on_a_condition_that_does_not_hold_is_refused(store: Store) -> None:
    with pytest.raises(ConflictError):
        store.put("k", b"1", only_if='"0x0123"')
    first = store.put("k", b"1", only_if=ABSENT)
    with pytest.raises(ConflictError):
        store.put("k", b"2", only_if=ABSENT)
    second = store.put("k", b"2", only_if=first)
    with pytest.raises(ConflictError):
        store.put("k", b"3", only_if=first)
    with pytest.raises(ConflictError):
        store.delete("k", only_if=first)
    store.delete("k", only_if=second)
    assert store.get("k") is None
    assert find_unsupported_conditions(store) == []


def test_of_two_writers_one_wins_each_round(store: Store) -> None:
    assert count_together(store, 2, 3) == 6


def test_a_stack_is_held_and_released(store: Store) -> None:
    for generation in (1, 2):
        with hold_lease(store, "p", "dev") as holding:
            holding.renew()
        lease = read_lease(store, "p", "dev")
        assert lease is not None
        assert (lease.generation, lease.released) == (generation, True)


def test_a_refusal_names_the_container_and_what_to_do(azurite: Azurite, container: str) -> None:
    with pytest.raises(StateError, match=r"azblob://none: the bucket does not exist\n.*az storage"):
        open_store("azblob://none", azurite.environ).get("k")
    wrong = {**azurite.environ, "AZURE_STORAGE_KEY": "Y2FuYXJ5"}
    with pytest.raises(StateError, match=f"azblob://{container}: ") as refused:
        open_store(f"azblob://{container}", wrong).get("k")
    assert "Y2FuYXJ5" not in str(refused.value)
