"""A stack is removed with its state, history and file, unless it has resources."""

from pathlib import Path

import pytest

from flowflare.config.files import read_project
from flowflare.state.backend import Backend
from flowflare.state.checkpoint import Deployment, Resource
from flowflare.state.location import open_backend
from flowflare.state.passphrase import Passphrase, Vault
from tests.cli.command import flowflare

THING = Resource("urn:pulumi:old::shop::a:b:C::thing", "a:b:C", custom=True, id="1")


@pytest.fixture
def backend(root: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """The backend of a stack `old`, which has a history and a neighbour `older`."""
    folder = root / "backend"
    folder.mkdir()
    monkeypatch.setenv("PULUMI_BACKEND_URL", folder.as_uri())
    for name in ("old", "older"):
        (root / f"Pulumi.{name}.yaml").write_text((root / "Pulumi.local.yaml").read_text())
        stack = open_backend(
            read_project(root, name).shared, name, {"PULUMI_BACKEND_URL": folder.as_uri()}
        )
        write(stack)
        stack.store.put(f".pulumi/history/{stack.project}/{name}/{name}-1.history.json", b"{}")
    return open_backend(
        read_project(root, "old").shared, "old", {"PULUMI_BACKEND_URL": folder.as_uri()}
    )


def write(backend: Backend, *resources: Resource) -> None:
    after = backend.read_current()
    put = backend.make_writer(Vault(Passphrase("p", "test")), after=after, guard=lambda: None)
    put(Deployment(resources))


def list_keys(backend: Backend) -> list[str]:
    every = [*backend.store.keys(".pulumi/stacks/"), *backend.store.keys(".pulumi/history/")]
    return [key for key in every if "old" in key]


def test_an_empty_stack_is_removed_and_its_neighbour_stays(root: Path, backend: Backend) -> None:
    said = flowflare("stack", "rm", "old", "--cwd", str(root))
    assert said.code == 0, said.err
    assert "Removed stack old" in said.out
    assert not (root / "Pulumi.old.yaml").exists()
    assert list_keys(backend)
    assert all("older" in key for key in list_keys(backend))
    assert (root / "Pulumi.older.yaml").exists()


def test_a_stack_with_resources_is_removed_only_by_its_name(root: Path, backend: Backend) -> None:
    write(backend, THING)
    before = list_keys(backend)
    said = flowflare("stack", "rm", "old", "--cwd", str(root))
    assert said.code == 1
    assert "stack old has 1 resource; nothing was removed" in said.err
    assert "flowflare destroy -s old" in said.err
    wrong = flowflare("stack", "rm", "old", "--force", "older", "--cwd", str(root))
    assert wrong.code == 2
    assert list_keys(backend) == before
    assert flowflare("stack", "rm", "old", "--force", "old", "--cwd", str(root)).code == 0
    assert all("older" in key for key in list_keys(backend))
    assert flowflare("stack", "rm", "old", "--cwd", str(root)).code == 1
