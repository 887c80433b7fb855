"""The state of a run: written before and after, in an order that the CLI accepts."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from flowflare.engine.embedded.ledger import Ledger
from flowflare.errors import StateError
from flowflare.state.backend import Backend
from flowflare.state.backends.folder import FolderStore
from flowflare.state.checkpoint import Deployment, Pending, Resource, load_resource, rename_urns
from flowflare.state.passphrase import Passphrase, Vault
from flowflare.values.properties import Secret

PREFIX = "urn:pulumi:dev::p::t:t:T::"
SALT = "v1:AnwsOFAODHA=:v1:QE5hRlR7ZbNE6aMM:wb1Wp2YZ5zw54f1/ZbQszR/UJjrEKA=="


def record(name: str, **fields: object) -> Resource:
    given = {"type": "t:t:T", "custom": True, "id": name, **fields}
    return Resource(urn=PREFIX + name, **given)  # type: ignore[arg-type]


class Written:
    """Keeps what is written, by names."""

    def __init__(self) -> None:
        self.states: list[tuple[list[str], list[str]]] = []

    def __call__(self, state: Deployment) -> None:
        names = [resource.name + "[D]" * resource.delete for resource in state.resources]
        self.states.append(
            (names, [f"{pending.doing} {pending.resource.name}" for pending in state.pending])
        )


def ledger(*records: Resource, pending: tuple[Pending, ...] = ()) -> tuple[Ledger, Written]:
    written = Written()
    return Ledger(Deployment(records, pending), str, written), written


def test_a_creation_is_written_before_and_after() -> None:
    book, written = ledger()
    begun = book.begin(record("a", id=""), "creating")
    book.put(record("a"), None, pending=begun)
    assert written.states == [([], ["creating a"]), (["a"], [])]
    book.finish()
    assert len(written.states) == 2


def test_finished_records_come_before_untouched_ones() -> None:
    a, b, c = record("a"), record("b"), record("c")
    book, written = ledger(a, b, c)
    book.put(replace(c, protect=True), c)
    book.put(replace(a, protect=True), a)
    book.finish()
    assert written.states == [(["c", "a", "b"], [])]


def test_a_run_that_changes_nothing_writes_nothing() -> None:
    a = record("a", inputs={"s": Secret("x")}, created="t")
    book, written = ledger(a)
    kept = book.put(replace(a, inputs={"s": Secret("x")}, created=""), a)
    assert kept is a
    book.finish()
    assert written.states == []


def test_a_replacement_keeps_the_old_half_until_it_is_deleted() -> None:
    a = record("a")
    book, written = ledger(a)
    book.put(record("a", id="2"), a, pending=book.begin(record("a"), "creating"), keep_old=True)
    (old,) = book.list_condemned([a.urn])
    book.record_deletion(old, pending=book.begin(old, "deleting"))
    assert written.states == [
        (["a"], ["creating a"]),
        (["a", "a[D]"], []),
        (["a", "a[D]"], ["deleting a"]),
        (["a"], []),
    ]


def test_a_failure_leaves_what_was_there() -> None:
    a = record("a")
    book, written = ledger(a)
    book.fail(book.begin(a, "updating"), doubtful=False)
    assert written.states[-1] == (["a"], [])
    assert book.list_untouched() == (a,)
    book.fail(book.begin(a, "updating"), doubtful=True)
    assert written.states[-1] == (["a"], ["updating a"])
    assert [pending.doing for pending in book.list_interrupted()] == ["updating"]


def test_interrupted_operations_stay_until_they_are_seen_to() -> None:
    pending = Pending(record("a", id=""), "creating")
    book, written = ledger(pending=(pending,))
    book.put(record("b"), None, pending=book.begin(record("b", id=""), "creating"))
    assert written.states[-1] == (["b"], ["creating a"])
    book.dismiss(pending)
    book.finish()
    assert written.states[-1] == (["b"], [])


def test_renamed_urns_are_followed_everywhere() -> None:
    old, new = PREFIX + "old", PREFIX + "new"
    moved = record(
        "a",
        parent=old,
        dependencies=(old,),
        property_dependencies={"k": (old,)},
        provider=f"{old}::id",
        deleted_with=old,
        replace_with=(old,),
    )
    assert rename_urns(moved, {old: new}).needs() == {new}
    assert rename_urns(moved, {old: new}).provider == f"{new}::id"
    assert rename_urns(moved, {"x": "y"}) is moved


def test_the_backend_replaces_files_whole_and_keeps_the_one_before(tmp_path: Path) -> None:
    backend = Backend(FolderStore(tmp_path), "p", "dev")
    vault = Vault(Passphrase("correct horse", "test"), SALT)
    write = backend.make_writer(vault)
    write(Deployment((record("a", inputs={"html": "<&>", "s": Secret("canary")}),), salt=SALT))
    file = tmp_path / backend.key
    first = file.read_text()
    assert '"<&>"' in first
    assert "canary" not in first
    write(Deployment((record("b"),), (Pending(record("c", id=""), "creating"),), SALT))
    assert file.with_name("dev.json.bak").read_text() == first
    state = backend.read(backend.load(), vault)
    assert [resource.name for resource in state.resources] == ["b"]
    assert [(pending.doing, pending.resource.name) for pending in state.pending] == [
        ("creating", "c")
    ]
    assert backend.read_salt(backend.load()) == SALT
    names = sorted(path.name for path in file.parent.iterdir())
    assert names == ["dev.json", "dev.json.bak"]


def test_a_newer_backend_layout_is_refused(tmp_path: Path) -> None:
    backend = Backend(FolderStore(tmp_path), "p", "dev")
    (tmp_path / ".pulumi").mkdir()
    (tmp_path / ".pulumi" / "meta.yaml").write_text("version: 2\n")
    with pytest.raises(StateError, match="version 1 of the backend's layout"):
        backend.make_writer(Vault(Passphrase("x", "x"), SALT))(Deployment())


def test_secrets_of_another_kind_are_refused(tmp_path: Path) -> None:
    backend = Backend(FolderStore(tmp_path), "p", "dev")
    vault = Vault(Passphrase("x", "x"), SALT)
    providers = {"type": "cloud", "state": {}}
    raw = {"version": 3, "checkpoint": {"latest": {"secrets_providers": providers}}}
    with pytest.raises(StateError, match="secrets are encrypted by 'cloud'"):
        backend.read(json.loads(json.dumps(raw)), vault)
    assert backend.read(None, vault) == Deployment()


def test_fields_that_are_not_known_are_dropped() -> None:
    vault = Vault(Passphrase("x", "x"), SALT)
    raw = {"urn": PREFIX + "a", "type": "t:t:T", "custom": True, "sourcePosition": "x"}
    assert load_resource({**raw, "propertyDependencies": {"k": None}}, vault).name == "a"
    with pytest.raises(ValueError, match="has no type"):
        load_resource({**raw, "type": ""}, vault)
