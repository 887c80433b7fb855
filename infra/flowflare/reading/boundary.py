"""Check whether a file that a project names is part of the project.

Anyone who can open a pull request can write a configuration. A path in it must not lead to other
files of the machine that runs the command: errors and plans would quote them.
"""

from pathlib import Path
from typing import Final

#: The folders of checkouts that this process records, whose copies have no `.git`.
RECORDED_TOPS: Final[list[Path]] = []
_PROJECT: Final = ("Pulumi.yaml",)
#: What the top folder of a repository has, or of a workspace of npm packages.
_TOPS: Final = ((".git",), ("pnpm-workspace.yaml", "package-lock.json", "yarn.lock", "bun.lock"))


def find_boundary(folder: Path) -> Path:
    """Find the folder that the files of a project must be in.

    Args:
        folder: the project's folder, or one inside it.

    Returns:
        The repository's top folder; without a repository the workspace's, else the project's, else
        the folder itself. Links are resolved.
    """
    start = folder.resolve()
    for top in RECORDED_TOPS:
        if start.is_relative_to(top):
            return top
    for names in (*_TOPS, _PROJECT):
        for parent in (start, *start.parents):
            if any((parent / name).exists() for name in names):
                return parent
    return start


def is_outside(path: Path, folder: Path) -> bool:
    """Whether a path is outside of a folder's repository, directly or by a link."""
    return not path.resolve().is_relative_to(find_boundary(folder))
