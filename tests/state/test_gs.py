"""The store in a bucket of Google Cloud Storage, against a fake of what obstore asks of it."""

from collections.abc import Iterator

import pytest

from flowflare.errors import ConflictError, StateError
from flowflare.state.backends.registry import open_store
from flowflare.state.backends.store import ABSENT, Store
from flowflare.state.lease import hold_lease, read_lease
from tests.state.fake_gcs import Bucket, serve_gcs


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with serve_gcs() as served:
        yield served


@pytest.fixture
def store(bucket: Bucket) -> Store:
    return open_store("gs://bucket/team/a", {"STORAGE_EMULATOR_HOST": bucket.address})


def test_a_write_names_the_generation_that_it_replaces(bucket: Bucket, store: Store) -> None:
    first = store.put("k", b"1", only_if=ABSENT)
    for only_if in (ABSENT, "77"):
        with pytest.raises(ConflictError, match="gs://bucket/team/a/k has been changed"):
            store.put("k", b"2", only_if=only_if)
    second = store.put("k", b"2", only_if=first)
    stored = store.get("k")
    assert stored is not None
    assert (stored.data, stored.tag) == (b"2", second)
    assert bucket.objects.keys() == {"team/a/k"}
    assert store.copy("k", "sub/k.bak")
    assert not store.copy("none", "x")
    assert store.keys("") == ["k", "sub/k.bak"]
    assert store.tags("")["k"] == second
    store.delete("k")
    store.delete("k")
    assert store.get("k") is None


def test_a_stack_is_held_and_released(store: Store) -> None:
    with hold_lease(store, "p", "dev") as holding:
        holding.renew()
    lease = read_lease(store, "p", "dev")
    assert lease is not None
    assert lease.released


def test_a_bucket_that_is_not_there_is_named(bucket: Bucket) -> None:
    with pytest.raises(StateError, match="gs://none: the bucket does not exist"):
        open_store("gs://none", {"STORAGE_EMULATOR_HOST": bucket.address}).put("k", b"")
