"""A commit is checked out next to the working tree, whatever it contains."""

from pathlib import Path

import pytest

from flowflare.review.checkout import CheckoutError, find_repository, has_same_packages
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


def test_a_submodule_is_an_empty_folder(tmp_path: Path, bare: Repo) -> None:
    other = repository(tmp_path / "other")
    other.commit({"file": "1"})
    bare.commit({"Pulumi.yaml": ""})
    bare.git("submodule", "add", "-q", str(other.top), "module")
    bare.commit({})
    found = find_repository(bare.project)
    made = found.check_out(found.find_commit("HEAD"), tmp_path / "out")
    assert not (made.root / "module/file").exists()


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


def test_packages_are_linked_if_the_lock_file_is_the_same(tmp_path: Path, bare: Repo) -> None:
    files = {"Pulumi.yaml": "", ".gitignore": "node_modules\n", "package-lock.json": "1"}
    old = bare.commit(files)
    bare.commit({"package-lock.json": "2"})
    (bare.project / "node_modules/a").mkdir(parents=True)
    found = find_repository(bare.project)
    before = found.check_out(found.find_commit(old), tmp_path / "old")
    after = found.check_out(found.find_commit("HEAD"), tmp_path / "new")
    assert (after.root / "node_modules/a").is_dir()
    assert not (before.root / "node_modules").exists()
    assert not has_same_packages(before, after)


def test_two_branches_are_compared_from_their_merge_base(bare: Repo) -> None:
    first = bare.commit({"Pulumi.yaml": "1"})
    bare.git("checkout", "-q", "-b", "topic")
    bare.commit({"Pulumi.yaml": "2"})
    bare.git("checkout", "-q", "main")
    bare.commit({"other": "3"})
    found = find_repository(bare.project)
    base = found.find_merge_base(found.find_commit("main"), found.find_commit("topic"))
    assert (base.name, base.sha) == ("main", first)
