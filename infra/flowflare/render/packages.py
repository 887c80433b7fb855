"""Stands for npm packages that are not installed while a commit is recorded.

A commit's files hold no packages. A Worker that imports some is then bundled of its own sources,
the imports left as they are, and what is locked is told below, so that two such commits can be
compared. Nothing of this is ever uploaded.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

#: Set by `review/record.py`: `installed` bundles the packages that are there, `sources` none.
VARIABLE: Final = "FLOWFLARE_RECORDING"
#: How the line begins that names what was left out.
LEFT_OUT: Final = "// npm packages left out: "
LOCK_FILES: Final = ("package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock")

Packages = Literal["required", "installed", "sources"]


def wanted() -> Packages:
    """What is done about packages: they are required, but for a recording."""
    found = os.environ.get(VARIABLE, "")
    if found == "sources":
        return "sources"
    return "installed" if found else "required"


def locked(names: Sequence[str], entry: str, folder: Path) -> str:
    """Comments that tell which packages were left out and what is locked.

    Args:
        names: the packages as they are imported.
        entry: the Worker's source, relative to `folder`.
        folder: the project's folder; lock files above it are not looked at.
    """
    lock = _nearest(entry, folder)
    if lock is None:
        lines = ["// package.json", LEFT_OUT + ", ".join(names)]
        return "".join(f"{line}\n" for line in [*lines, "// nothing is locked"])
    lines = [f"// {lock.relative_to(folder).as_posix()}", LEFT_OUT + ", ".join(names)]
    return "".join(f"{line}\n" for line in [*lines, *_versions(lock)])


def _nearest(entry: str, folder: Path) -> Path | None:
    for parent in Path(entry).parents:
        for name in LOCK_FILES:
            if (folder / parent / name).is_file():
                return folder / parent / name
    return None


def _versions(lock: Path) -> list[str]:
    """A line for each locked package; other tools' files are told by their digest."""
    data = lock.read_bytes()
    try:
        packages: dict[str, Any] = json.loads(data)["packages"]
        found = {
            f"// {path.rpartition('node_modules/')[2]} {package.get('version', '')}".rstrip()
            for path, package in packages.items()
            if path
        }
    except (ValueError, TypeError, KeyError, AttributeError):
        return [f"// sha256 {hashlib.sha256(data).hexdigest()}"]
    return sorted(found)
