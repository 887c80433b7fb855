"""Write the files of a commit's submodules, from their repositories in this clone."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from flowflare.review.git import CheckoutError, run_git

_SUBMODULE: Final = "160000"


def check_out_submodules(working: Path, commit: str, files: Path, index: Path) -> dict[str, str]:
    """Write every submodule, also nested ones, at the commit that its parent names.

    Args:
        commit: a full hash.
        index: a file that git may use and that does not exist.

    Returns:
        The submodules whose commit is not in this clone: each path with that commit.
    """
    folder = Path(run_git(working, ("rev-parse", "--absolute-git-dir"), {}))
    return dict(_check_out(_Tree(folder, working, files, index), commit))


@dataclass(frozen=True)
class _Tree:
    """Files of a commit, and where it came from.

    Attributes:
        git: the folder of the repository's data.
        working: the repository's working tree, which may be missing.
        index: a file that git may use.
    """

    git: Path
    working: Path
    files: Path
    index: Path

    def run(self, *words: str) -> str:
        own = {"GIT_DIR": self.git, "GIT_WORK_TREE": self.files, "GIT_INDEX_FILE": self.index}
        return run_git(self.files, words, {name: str(path) for name, path in own.items()})

    def has(self, commit: str) -> bool:
        try:
            self.run("cat-file", "-e", f"{commit}^{{commit}}")
        except CheckoutError:
            return False
        return True

    def list_places(self, path: str) -> Iterator[Path]:
        """List the folders that may have the data of a submodule."""
        if (self.working / path / ".git").exists():
            yield Path(run_git(self.working / path, ("rev-parse", "--absolute-git-dir"), {}))
        modules = self.files / self.run("rev-parse", "--git-common-dir") / "modules"
        name = self._find_name(path)
        if name and (modules / name).is_dir():
            yield modules / name

    def _find_name(self, path: str) -> str:
        """Return a submodule's name in the commit's `.gitmodules`; empty without a safe one."""
        listing = self.files / ".gitmodules"
        if not listing.is_file() or listing.is_symlink():
            return ""
        words = ("config", "--file", str(listing), "-z", "--get-regexp", r"^submodule\..*\.path$")
        try:
            entries = self.run(*words).split("\0")
        except CheckoutError:
            return ""
        pairs = (entry.partition("\n") for entry in entries)
        names = [key[len("submodule.") : -len(".path")] for key, _, value in pairs if value == path]
        safe = (name for name in names if not {"..", "/"} & {*PurePosixPath(name).parts})
        return next(safe, "")


def _check_out(tree: _Tree, commit: str) -> Iterator[tuple[str, str]]:
    for line in tree.run("ls-tree", "-r", "-z", "--full-tree", commit).split("\0"):
        described, _, path = line.partition("\t")
        if not described.startswith(_SUBMODULE):
            continue
        sha = described.split()[2]
        places = (
            _Tree(git, tree.working / path, tree.files / path, tree.index)
            for git in tree.list_places(path)
        )
        inner = next((place for place in places if place.has(sha)), None)
        if inner is None:
            yield path, sha
            continue
        inner.run("read-tree", sha)
        inner.run("checkout-index", "--all", "--force")
        tree.index.unlink(missing_ok=True)
        yield from ((f"{path}/{name}", missing) for name, missing in _check_out(inner, sha))
