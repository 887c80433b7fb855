"""Check a commit out into a temporary folder, without touching the repository's working tree.

git writes the files through a separate index, so line endings and filters apply as in any
checkout. Submodules are included, and npm packages of the commit are linked.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from flowflare.reading.files import read_bytes
from flowflare.review.git import CheckoutError, run_git
from flowflare.review.local_packages import link_local_packages
from flowflare.review.submodules import check_out_submodules


class NoProjectError(CheckoutError):
    """A commit does not contain the project.

    Args:
        is_absent: whether the commit has no project of this name in any other folder either.
    """

    def __init__(self, message: str, *, is_absent: bool) -> None:
        super().__init__(message)
        self.is_absent = is_absent


@dataclass(frozen=True)
class Commit:
    """A commit of the repository that contains the project.

    Attributes:
        name: the name that the user gave: a branch, a tag or a hash.
        sha: its full hash.
        subject: the first line of its message.
    """

    name: str
    sha: str
    subject: str


@dataclass(frozen=True)
class Checkout:
    """A commit's files in a temporary folder.

    Attributes:
        top: the folder of the whole commit.
        root: the project's folder in it.
        unread: the submodules whose files are missing, each with its commit.
    """

    top: Path
    root: Path
    project: Path
    unread: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Repository:
    """A git repository that contains a project.

    Attributes:
        project: the project's folder, relative to `top`; `.` if it is the top folder.
    """

    top: Path
    project: str

    def find_commit(self, name: str) -> Commit:
        """Find a commit by any name that git accepts.

        Raises:
            CheckoutError: the commit does not exist.
        """
        try:
            sha = self._run_git(
                "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
            )
        except CheckoutError:
            raise CheckoutError(
                f"this repository has no commit {name!r}",
                remedy="Name a branch, a tag or a hash. A shallow clone lacks older ones: "
                "git fetch --deepen=100 (fetch-depth: 0 for actions/checkout).",
            ) from None
        return Commit(_decode(name), sha, self._read_subject(sha))

    def read_date(self, commit: Commit) -> str:
        """Return the day on which a commit was made, as `2026-11-24`."""
        return self._run_git("log", "-1", "--format=%cs", commit.sha)

    def find_merge_base(self, first: Commit, second: Commit) -> Commit:
        """Find the newest common ancestor of two commits, or return the first without one."""
        try:
            sha = self._run_git("merge-base", first.sha, second.sha)
        except CheckoutError:
            return first
        return first if sha == first.sha else Commit(first.name, sha, self._read_subject(sha))

    def has_uncommitted_changes(self) -> bool:
        """Return whether the working tree has uncommitted changes in the project."""
        words = ("status", "--porcelain", "--untracked-files=normal", "--", self._make_pathspec())
        return bool(self._run_git(*words))

    def check_out(self, commit: Commit, folder: Path) -> Checkout:
        """Write a commit's files.

        Args:
            folder: an empty folder.

        Raises:
            NoProjectError: the commit does not contain the project.
            CheckoutError: git cannot write the files, or a link points outside of the commit.
        """
        index = folder / "index"
        files = folder / "files"
        files.mkdir(parents=True)
        own = {"GIT_INDEX_FILE": str(index)}
        self._run_git("read-tree", commit.sha, environment=own)
        self._run_git("checkout-index", "--all", "--force", f"--prefix={files}/", environment=own)
        index.unlink(missing_ok=True)
        unread = check_out_submodules(self.top, commit.sha, files, index)
        _refuse_outer_links(commit, files)
        root = files / self.project
        if not (root / "Pulumi.yaml").is_file():
            raise self._make_no_project_error(commit, files)
        link_local_packages(files)
        return Checkout(files, root, self.top / self.project, unread)

    def _make_no_project_error(self, commit: Commit, files: Path) -> NoProjectError:
        """Make the error for a commit without `Pulumi.yaml` in the project's folder."""
        text = f"commit {commit.sha[:12]} has no Pulumi.yaml in {self.project}"
        name = _read_project_name(self.top / self.project / "Pulumi.yaml")
        elsewhere = sorted(
            path.parent.relative_to(files).as_posix()
            for path in files.rglob("Pulumi.yaml")
            if _read_project_name(path) == name
        )
        if elsewhere:
            text += f"; in that commit the project {name} is in {', '.join(elsewhere)}"
        return NoProjectError(text, is_absent=not elsewhere)

    def _make_pathspec(self) -> str:
        """Return the project's folder as a git pathspec."""
        return ":(top)" if self.project == "." else f":(top,literal){self.project}"

    def _read_subject(self, sha: str) -> str:
        return _decode(self._run_git("log", "-1", "--format=%s", sha))

    def _run_git(self, *words: str, environment: dict[str, str] | None = None) -> str:
        return run_git(self.top, words, environment or {})


def _refuse_outer_links(commit: Commit, files: Path) -> None:
    """Refuse symbolic links that lead to other files of this machine."""
    top = files.resolve()
    links = [
        path
        for folder, inner, names in os.walk(files)
        for path in (Path(folder, name) for name in [*inner, *names])
        if path.is_symlink() and not path.resolve().is_relative_to(top)
    ]
    if links:
        shown = ", ".join(
            _decode(f"{link.relative_to(files)} -> {link.readlink()}") for link in sorted(links)
        )
        raise CheckoutError(
            f"commit {commit.sha[:12]} has symbolic links that point outside of it: {shown}",
            remedy="Replace them by files of the commit.",
        )


def _decode(name: str) -> str:
    """Replace each byte of git's output that is not valid text by U+FFFD."""
    return name.encode(errors="surrogateescape").decode(errors="replace")


def _read_project_name(file: Path) -> str:
    """Read the name from a `Pulumi.yaml`; empty without a file or a name."""
    try:
        found = _NAME.search(read_bytes(file).decode(errors="replace"))
    except OSError:
        return ""
    return found.group(1) if found else ""


_NAME: Final = re.compile(r"""^name:\s*["']?([A-Za-z0-9_.-]+)""", re.MULTILINE)


def find_repository(root: Path) -> Repository:
    """Find the repository that contains a project's folder.

    Raises:
        CheckoutError: the folder is not in a repository, or git is not installed.
    """
    top = Path(run_git(root, ("rev-parse", "--show-toplevel"), {}))
    return Repository(top, root.resolve().relative_to(top.resolve()).as_posix())
