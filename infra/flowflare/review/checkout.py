"""Lays a commit's files out in a folder of their own, without touching the repository's own.

git writes them through an index of their own, so that line endings and filters are applied as in
any checkout. npm packages are linked in (`local_packages.py`).
"""

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flowflare.child_environment import child_environment
from flowflare.errors import FlowflareError
from flowflare.reading.files import read_bytes
from flowflare.review.local_packages import link_packages, lock_alike


class CheckoutError(FlowflareError):
    """A commit that is not there, or a folder that is no part of a git repository."""


class NoProjectError(CheckoutError):
    """A commit without the project.

    Args:
        message: which commit, which folder.
        is_absent: whether the commit has a project of this name in no other folder either.
    """

    def __init__(self, message: str, *, is_absent: bool) -> None:
        super().__init__(message)
        self.is_absent = is_absent


@dataclass(frozen=True)
class Commit:
    """A commit of the repository that a project lies in.

    Attributes:
        name: as it was given: a branch, a tag, a hash.
        sha: its full hash.
        subject: the first line of its message.
    """

    name: str
    sha: str
    subject: str


@dataclass(frozen=True)
class Checkout:
    """A commit's files in a folder of their own.

    Attributes:
        top: the folder of all its files.
        root: the project's folder in it.
    """

    top: Path
    root: Path


@dataclass(frozen=True)
class Repository:
    """A git repository seen from a project's folder.

    Attributes:
        top: the working tree's top folder.
        project: the project's folder, relative to it; `.` where it is the top.
    """

    top: Path
    project: str

    def commit(self, name: str) -> Commit:
        """Finds a commit by any name that git knows.

        Raises:
            CheckoutError: there is none.
        """
        try:
            sha = self._git(
                "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
            )
        except CheckoutError:
            raise CheckoutError(
                f"there is no commit {name!r} here",
                remedy="Name a branch, a tag or a hash. A shallow clone lacks older ones: "
                "git fetch --deepen=100 (fetch-depth: 0 for actions/checkout).",
            ) from None
        return Commit(_text(name), sha, self._subject(sha))

    def date_of(self, commit: Commit) -> str:
        """The day on which a commit was made, `2026-11-24`."""
        return self._git("log", "-1", "--format=%cs", commit.sha)

    def merge_base(self, one: Commit, other: Commit) -> Commit:
        """The newest commit that both come from; the first one where they share none."""
        try:
            sha = self._git("merge-base", one.sha, other.sha)
        except CheckoutError:
            return one
        return one if sha == one.sha else Commit(one.name, sha, self._subject(sha))

    def uncommitted(self) -> bool:
        """Whether the working tree has changes in the project that are in no commit."""
        words = ("status", "--porcelain", "--untracked-files=normal", "--", self._place())
        return bool(self._git(*words))

    def lay_out(self, commit: Commit, folder: Path) -> Checkout:
        """Writes a commit's files.

        Args:
            commit: the commit.
            folder: an empty folder.

        Raises:
            NoProjectError: the commit has no such project.
            CheckoutError: git cannot write them.
        """
        index = folder / "index"
        files = folder / "files"
        files.mkdir(parents=True)
        own = {"GIT_INDEX_FILE": str(index)}
        self._git("read-tree", commit.sha, environment=own)
        self._git("checkout-index", "--all", "--force", f"--prefix={files}/", environment=own)
        index.unlink(missing_ok=True)
        root = files / self.project
        if not (root / "Pulumi.yaml").is_file():
            raise self._no_project(commit, files)
        link_packages(files, self.top)
        return Checkout(files, root)

    def _no_project(self, commit: Commit, files: Path) -> NoProjectError:
        """The error for a commit without `Pulumi.yaml` in the project's folder."""
        text = f"commit {commit.sha[:12]} has no Pulumi.yaml in {self.project}"
        name = _project_name(self.top / self.project / "Pulumi.yaml")
        elsewhere = sorted(
            path.parent.relative_to(files).as_posix()
            for path in files.rglob("Pulumi.yaml")
            if _project_name(path) == name
        )
        if elsewhere:
            text += f"; the project {name} is in {', '.join(elsewhere)} there"
        return NoProjectError(text, is_absent=not elsewhere)

    def _place(self) -> str:
        """The project's folder as git takes paths; it knows no dot for the top."""
        return ":(top)" if self.project == "." else f":(top,literal){self.project}"

    def _subject(self, sha: str) -> str:
        return _text(self._git("log", "-1", "--format=%s", sha))

    def _git(self, *words: str, environment: dict[str, str] | None = None) -> str:
        return _git(self.top, words, environment or {})


def _text(name: str) -> str:
    """What git names, with a sign for each byte that is no text."""
    return name.encode(errors="surrogateescape").decode(errors="replace")


def same_packages(one: Checkout, other: Checkout) -> bool:
    """Whether two checkouts lock and patch the same npm packages."""
    return lock_alike(one.top, other.top)


def _project_name(file: Path) -> str:
    """The name in a `Pulumi.yaml`, empty where there is none."""
    try:
        found = _NAME.search(read_bytes(file).decode(errors="replace"))
    except OSError:
        return ""
    return found.group(1) if found else ""


_NAME: Final = re.compile(r"""^name:\s*["']?([A-Za-z0-9_.-]+)""", re.MULTILINE)


def find_repository(root: Path) -> Repository:
    """The repository that a project's folder lies in.

    Raises:
        CheckoutError: there is none, or no git.
    """
    top = Path(_git(root, ("rev-parse", "--show-toplevel"), {}))
    return Repository(top, root.resolve().relative_to(top.resolve()).as_posix())


def _environment() -> dict[str, str]:
    """What git needs: its own variables, and the network for filters such as Git LFS."""
    selected = child_environment(os.environ, prefixes=("GIT_", "SSH_"), network=True)
    return selected | {"GIT_OPTIONAL_LOCKS": "0"}


def _git(folder: Path, words: Sequence[str], environment: dict[str, str]) -> str:
    """Runs git; its output without the last line feed."""
    command = ["git", "-c", "core.quotePath=false", "-c", "advice.detachedHead=false", *words]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            check=False,
            env=_environment() | environment,
        )
    except FileNotFoundError:
        raise CheckoutError("git is not installed", remedy="Install git 2.30 or newer.") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise CheckoutError(f"git {words[0]}: {said or 'failed'}")
    # As Python takes names of files: bytes that are no text stay what they are.
    return os.fsdecode(done.stdout).rstrip("\n")
