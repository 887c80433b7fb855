"""The store in a folder: whole objects, conditional writes, nothing left lying about."""

import threading
from pathlib import Path

import pytest

from flowflare.errors import ConflictError, StateError
from flowflare.state.backends.folder import FolderStore
from flowflare.state.backends.store import ABSENT
from tests.state.writers import count_together


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "state")


def test_of_writers_who_read_the_same_one_wins_each_round(store: FolderStore) -> None:
    assert count_together(store, 4, 5) == 20


def test_of_those_who_create_one_wins(store: FolderStore) -> None:
    made: list[bytes] = []

    def create(text: bytes) -> None:
        try:
            store.put("a/b", text, only_if=ABSENT)
        except ConflictError:
            return
        made.append(text)

    threads = [threading.Thread(target=create, args=(b"%d" % n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = store.get("a/b")
    assert stored is not None
    assert made == [stored.data]


def test_other_files_in_the_folder_are_not_objects(store: FolderStore) -> None:
    for key in (".pulumi/meta.yaml", ".pulumi/stacks/p/dev.json", ".pulumi/stacks/p/devil.json"):
        store.put(key, b"x")
    stacks = store.folder / ".pulumi/stacks/p"
    (stacks / "dev.json.attrs").write_text("{}")
    (stacks / ".dev.json-abc").write_text("draft")
    assert store.keys(".pulumi/stacks/p/dev.") == [".pulumi/stacks/p/dev.json"]
    assert len(store.keys(".pulumi/stacks/")) == 2
    assert len(store.keys("")) == 3
    assert store.keys("none/") == store.keys("nothing") == []


def test_tags_are_those_that_are_read_and_written(store: FolderStore) -> None:
    tags = {key: store.put(key, key.encode()) for key in ("a/b.json", "a/c.json", "a/c.json.bak")}
    assert store.tags("a/") == tags
    assert store.tags("a/", ending=".json") == {key: tags[key] for key in ("a/b.json", "a/c.json")}
    assert store.tags("b/") == {}


def test_a_condition_is_one_of_content(store: FolderStore) -> None:
    tag = store.put("k", b"1")
    with pytest.raises(ConflictError, match="changed by another process"):
        store.put("none", b"2", only_if=tag)
    store.put("k", b"2", only_if=tag)
    with pytest.raises(ConflictError):
        store.delete("k", only_if=tag)
    store.delete("none", only_if=tag)
    store.delete("k", only_if=store.put("k", b"3"))
    assert store.get("k") is None
    assert sorted(store.folder.iterdir()) == []


def test_a_copy_stays_what_the_source_was(store: FolderStore) -> None:
    assert not store.copy("a", "b/c")
    store.put("a", b"1")
    assert store.copy("a", "b/c")
    assert store.copy("a", "b/c"), "a second time"
    store.put("a", b"2")
    assert {key: one.data for key, one in store.read_many(["a", "b/c", "d"]).items()} == {
        "a": b"2",
        "b/c": b"1",
    }
    assert [path.name for path in (store.folder / "b").iterdir()] == ["c"]


@pytest.mark.parametrize("key", ["../x", "/x", "a//b", "", "a/."])
def test_no_key_leads_out_of_the_folder(store: FolderStore, key: str) -> None:
    with pytest.raises(ValueError, match="is not a valid key"):
        store.put(key, b"")


def test_what_the_disk_says_is_an_error_of_the_state(store: FolderStore) -> None:
    store.put("a/b", b"1")
    with pytest.raises(StateError, match=r"a/b/c: File exists"):
        store.put("a/b/c", b"2")
    assert store.get("a/b/c") is None
    with pytest.raises(StateError, match=r"/a: Is a directory"):
        store.get("a")


def test_a_folder_that_cannot_be_listed_is_not_taken_for_an_empty_one(store: FolderStore) -> None:
    store.put("a/b", b"1")
    loop = store.folder / "loop"
    loop.symlink_to(loop)
    assert store.keys("a/") == ["a/b"]
    with pytest.raises(StateError, match="Too many levels of symbolic links"):
        store.keys("loop/x")


def test_an_object_has_the_time_of_its_file(store: FolderStore) -> None:
    store.put("k", b"1")
    stored = store.get("k")
    assert stored is not None
    assert stored.modified == (store.folder / "k").stat().st_mtime
