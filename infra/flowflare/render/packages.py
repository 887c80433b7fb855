"""Replace npm packages that are not installed while a commit is recorded.

A commit does not contain its packages. A Worker that imports some is bundled from its own sources,
with the imports left as they are, and the locked versions are listed below the code, so that two
such commits can be compared. A package that is part of the commit but cannot be bundled is
represented by a digest of its files, and a locked package by a digest of what is locked; if the
digest changes, the Worker is not compared. None of this is ever uploaded.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from flowflare.model.worker import NOT_COMPARED
from flowflare.reading.boundary import find_boundary
from flowflare.reading.files import read_bytes, read_text
from flowflare.reading.json_text import parse_json

#: The start of the line that lists the omitted packages.
LEFT_OUT: Final = "// npm packages left out: "
#: Lock files; npm prefers the first, and a project with npm's lock file is installed by npm.
LOCK_FILES: Final = (
    *("npm-shrinkwrap.json", "package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock"),
)

#: All are required, except in a recording: there, installed packages or none are bundled.
Packages = Literal["required", "installed", "sources"]
_mode: Packages = "required"


def choose_mode(mode: Packages) -> None:
    """Choose how this process handles packages."""
    global _mode  # noqa: PLW0603 -- a process records, or it does not
    _mode = mode


def read_mode() -> Packages:
    """Return how this process handles packages."""
    return _mode


def describe_locked(names: Sequence[str], entry: str, folder: Path) -> str:
    """Write comments that list the omitted packages and the locked versions.

    Args:
        names: the packages as they are imported.
        entry: the Worker's source, relative to `folder`.
    """
    parents = list(_list_parents(entry, folder))
    found = (parent / name for parent in parents for name in LOCK_FILES)
    lock = next((file for file in found if file.is_file()), None)
    place = "package.json" if lock is None else Path(os.path.relpath(lock, folder)).as_posix()
    lines = [f"// {place}", LEFT_OUT + ", ".join(names)]
    lines += _list_ranges(names, parents) if lock is None else _list_versions(lock)
    top = parents[-1]
    lines += [
        f"// {file.relative_to(top).as_posix()} {_hash(read_bytes(file))}"
        for file in _list_files(top)
        if file.suffix == ".patch"
    ]
    packages = sorted({match[0] for name in names if (match := _PACKAGE.match(name))})
    digest = _hash("".join(lines[2:]).encode())
    for name in packages:
        own = list(_list_not_compared(name, parents))
        lines += own or [f"{NOT_COMPARED}{name} in {place}, {digest}"]
    return "".join(f"{line}\n" for line in lines)


_PACKAGE: Final = re.compile(r"(?:@[^/]+/)?[^/]+")


def _list_parents(entry: str, folder: Path) -> Iterator[Path]:
    """List the folders above a source, up to the checkout's top folder."""
    top = find_boundary(folder)
    for parent in (folder / entry).resolve().parents:
        yield parent
        if parent in (top, parent.parent):
            return


def _list_versions(lock: Path) -> list[str]:
    """Write a line for each locked package. Lock files of other tools are shown by their digest."""
    data = read_bytes(lock)
    try:
        packages: dict[str, Any] = parse_json(data)["packages"]
        found = {_write_version(path, package) for path, package in packages.items() if path}
    except (ValueError, TypeError, KeyError, AttributeError):
        return [f"// {_hash(data)}"]
    return sorted(found)


def _write_version(path: str, package: Mapping[str, Any]) -> str:
    """Write a locked package: its version, and what distinguishes packages of one version."""
    exact = str(package.get("integrity") or package.get("resolved") or "")[:32]
    name, version = path.rpartition("node_modules/")[2], package.get("version", "")
    return " ".join(filter(None, ("//", name, version, exact)))


def _list_ranges(names: Sequence[str], parents: Sequence[Path]) -> list[str]:
    """List the versions in the nearest `package.json`, if there is no lock file."""
    package = next((read for parent in parents if (read := _read_package(parent))), {})
    asked = {
        name: str(spec)
        for key in ("dependencies", "devDependencies", "optionalDependencies")
        for name, spec in (package.get(key) or {}).items()
    }
    imported = sorted({match[0] for name in names if (match := _PACKAGE.match(name))})
    found = [f"// {name} {asked[name]}" for name in imported if name in asked]
    return [*found, "// nothing is locked"]


def _list_not_compared(name: str, parents: Sequence[Path]) -> Iterator[str]:
    """List a package that is part of the commit, with a digest of its files."""
    for parent in parents:
        link = parent / "node_modules" / name
        target = link.resolve()
        if not link.exists():
            continue
        if target.is_relative_to(parents[-1]) and "node_modules" not in target.parts:
            digest = _hash_folder(target)
            place = target.relative_to(parents[-1]).as_posix()
            yield f"{NOT_COMPARED}{name} in {place}, {digest}"
        return


def describe_missing_folder(folder: str, root: Path) -> str:
    """Write a marker for a folder that a commit does not have, with a digest of what is beside it.

    Args:
        folder: the folder, relative to the project, which a build writes.
    """
    return f"{NOT_COMPARED}{folder}, {_hash_folder((root / folder).parent)}"


def _hash_folder(folder: Path) -> str:
    return _hash(
        *(
            part
            for file in _list_files(folder)
            for part in (file.relative_to(folder).as_posix().encode(), read_bytes(file))
        )
    )


def _list_files(folder: Path) -> Iterator[Path]:
    """List a commit's files below a folder, sorted, without installed packages and links."""
    for path, inner, files in os.walk(folder):
        inner[:] = sorted(name for name in inner if name not in _NOT_OF_A_COMMIT)
        for file in sorted(files):
            found = Path(path, file)
            if found.is_file() and not found.is_symlink():
                yield found


_NOT_OF_A_COMMIT: Final = ("node_modules", ".git", ".flowflare", "__pycache__")


def _read_package(folder: Path) -> Mapping[str, Any]:
    try:
        read = parse_json(read_text(folder / "package.json"))
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def _hash(*parts: bytes) -> str:
    whole = (
        parts[0] if len(parts) == 1 else b"".join(hashlib.sha256(part).digest() for part in parts)
    )
    return f"sha256 {hashlib.sha256(whole).hexdigest()}"
