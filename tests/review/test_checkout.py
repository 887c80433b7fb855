"""A commit is checked out next to the working tree, whatever it contains."""

from pathlib import Path

import pytest

from flowflare.review.checkout import find_repository
from flowflare.review.git import CheckoutError
from tests.review.conftest import Repo, repository


def test_a_checkout_does_not_touch_the_working_tree(tmp_path: Path, bare: Repo) -> None:
    old = bare.commit({"Pulumi.yaml": "name: old\n", "a b\nc/é.txt": "1"})
    bare.commit({"Pulumi.yaml": "name: new\n", "a b\nc/é.txt": None})
    (bare.project / "Pulumi.yaml").write_text("name: dirty\n", encoding="utf-8")
    before = bare.git("status", "--porcelain")
    found = find_repository(bare.project)
    made = found.check_out(found.find_commit(old), tmp_path / "out")
    assert (made.root / "Pulumi.yaml").read_text(encoding="utf-8") == "name: old\n"
    assert (made.root / "a b\nc/é.txt").read_text(encoding="utf-8") == "1"
    assert (bare.git("status", "--porcelain"), found.has_uncommitted_changes()) == (before, True)


def test_a_project_in_a_subfolder_is_found(tmp_path: Path) -> None:
    repo = repository(tmp_path / "top", "deep/[shop] *")
    sha = repo.commit({"Pulumi.yaml": "name: shop\n"})
    (repo.top / "elsewhere.txt").write_text("x", encoding="utf-8")
    found = find_repository(repo.project)
    made = found.check_out(found.find_commit(sha), tmp_path / "out")
    assert made.root == made.top / "deep/[shop] *"
    assert not found.has_uncommitted_changes()


def test_line_endings_are_converted_as_in_any_checkout(tmp_path: Path, bare: Repo) -> None:
    bare.commit({".gitattributes": "*.sql eol=crlf\n", "Pulumi.yaml": "", "1.sql": "a\nb\n"})
    found = find_repository(bare.project)
    made = found.check_out(found.find_commit("HEAD"), tmp_path / "out")
    assert (made.root / "1.sql").read_bytes() == b"a\r\nb\r\n"


def with_submodule(repo: Repo, other: Repo) -> None:
    """Add another repository as a submodule, which has a submodule of its own."""
    inner = repository(other.top.parent / "inner")
    inner.commit({"deep.txt": "deep"})
    other.commit({"file": "1"})
    other.git("submodule", "add", "-q", str(inner.top), "inner")
    other.commit({})
    repo.commit({"Pulumi.yaml": ""})
    repo.git("submodule", "add", "-q", "--name", "parts", str(other.top), "lib/module")
    repo.git("submodule", "update", "-q", "--init", "--recursive")
    repo.commit({})


def test_a_submodule_is_read_at_the_commit_that_its_parent_names(
    tmp_path: Path, bare: Repo
) -> None:
    other = repository(tmp_path / "other")
    with_submodule(bare, other)
    old = bare.git("rev-parse", "HEAD")
    other.commit({"file": "2"})
    bare.git("-C", "lib/module", "pull", "-q")
    bare.commit({})
    (bare.top / "lib/module/file").write_text("not committed", encoding="utf-8")
    found = find_repository(bare.project)
    before = found.check_out(found.find_commit(old), tmp_path / "old")
    after = found.check_out(found.find_commit("HEAD"), tmp_path / "new")
    texts = [(made.root / "lib/module/file").read_text("utf-8") for made in (before, after)]
    assert (texts, before.unread, after.unread) == (["1", "2"], {}, {})
    assert (before.root / "lib/module/inner/deep.txt").read_text("utf-8") == "deep"
    assert (bare.top / "lib/module/file").read_text("utf-8") == "not committed"


def test_a_submodule_that_is_no_longer_in_the_working_tree_is_still_read(
    tmp_path: Path, bare: Repo
) -> None:
    with_submodule(bare, repository(tmp_path / "other"))
    old = bare.git("rev-parse", "HEAD")
    bare.git("rm", "-q", "lib/module")
    bare.commit({})
    found = find_repository(bare.project)
    made = found.check_out(found.find_commit(old), tmp_path / "out")
    assert (made.root / "lib/module/file").read_text("utf-8") == "1"


def test_a_submodule_that_is_not_cloned_is_named(tmp_path: Path, bare: Repo) -> None:
    with_submodule(bare, repository(tmp_path / "other"))
    bare.git("clone", "-q", str(bare.top), str(tmp_path / "clone"))
    found = find_repository(tmp_path / "clone")
    made = found.check_out(found.find_commit("HEAD"), tmp_path / "out")
    listed = bare.git("rev-parse", "HEAD:lib/module")
    assert made.unread == {"lib/module": listed}


def test_links_that_lead_out_of_a_commit_are_all_refused(tmp_path: Path, bare: Repo) -> None:
    (bare.project / "inside").symlink_to("Pulumi.yaml")
    (bare.project / "hosts").symlink_to("/etc/hosts")
    (bare.project / "up").symlink_to("../..")
    bare.commit({"Pulumi.yaml": ""})
    found = find_repository(bare.project)
    with pytest.raises(CheckoutError, match=r"outside of it: hosts -> /etc/hosts, up -> \.\./\.\."):
        found.check_out(found.find_commit("HEAD"), tmp_path / "out")


def test_an_unknown_commit_is_refused_with_a_hint_to_fetch(tmp_path: Path, bare: Repo) -> None:
    bare.commit({"Pulumi.yaml": "1"})
    bare.commit({"Pulumi.yaml": "2"})
    bare.git("clone", "-q", "--depth=1", f"file://{bare.top}", str(tmp_path / "shallow"))
    found = find_repository(tmp_path / "shallow")
    with pytest.raises(CheckoutError, match="this repository has no commit 'HEAD~1'") as caught:
        found.find_commit("HEAD~1")
    assert "git fetch --deepen" in str(caught.value)
    with pytest.raises(CheckoutError):
        found.find_commit("--help")


def test_a_folder_outside_a_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckoutError, match="not a git repository"):
        find_repository(tmp_path)


def test_two_branches_are_compared_from_their_merge_base(bare: Repo) -> None:
    first = bare.commit({"Pulumi.yaml": "1"})
    bare.git("checkout", "-q", "-b", "topic")
    bare.commit({"Pulumi.yaml": "2"})
    bare.git("checkout", "-q", "main")
    bare.commit({"other": "3"})
    found = find_repository(bare.project)
    base = found.find_merge_base(found.find_commit("main"), found.find_commit("topic"))
    assert (base.name, base.sha) == ("main", first)
