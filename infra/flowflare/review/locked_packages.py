"""Install the npm packages that a commit locks, before its program runs without a network.

The packages of a lock file are installed once into the user's cache, in a folder that is named by
the digest of all files that decide the result. Then they are linked into the checkout. The
packages' scripts do not run. The commit may be untrusted: only its files are read, nothing outside
the checkout and the cache is written, and its settings cannot choose credentials.
"""

import hashlib
import json
import os
import platform
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from flowflare.errors import FlowflareError, NodeError
from flowflare.reading.files import read_bytes
from flowflare.reading.json_text import parse_json
from flowflare.render.node import find_node_place, install_once
from flowflare.review.local_packages import MODULES, PackageFiles, link_package
from flowflare.review.package_tools import choose_installer

#: Changes if the same files are installed in another way.
_FORMAT: Final = 1
_NPM_LOCKS: Final = ("npm-shrinkwrap.json", "package-lock.json")
_SOURCES: Final = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx")
_IMPORT: Final = re.compile(
    rb"""(?:\bfrom|\bimport|\brequire)\s*\(?\s*["']((?:@[\w.~-]+/)?[\w~-][\w.~-]*)(?=["'/])"""
)
# Settings of `.npmrc` that decide what is installed. Values with `${` could send a variable of the
# environment to a registry that the commit chose.
_SETTING: Final = re.compile(
    r"\s*(?:(?:@[\w.~-]+:)?registry|legacy-peer-deps|install-links|install-strategy|node-linker"
    r"|hoist|shamefully-hoist|public-hoist-pattern(?:\[\])?)\s*=\s*[^$\s]*\s*"
)


@dataclass
class PackageInstaller:
    """Installs the locked packages of checkouts.

    Attributes:
        on_progress: receives a message before packages are installed.
        failures: why a lock file's packages could not be installed, by its path in the commit.
        installed: the folders with the packages that the checkouts link to.
    """

    on_progress: Callable[[str], None]
    failures: dict[str, str] = field(default_factory=dict)
    installed: set[Path] = field(default_factory=set)
    _reasons: dict[str, str] = field(default_factory=dict)

    def install(self, checkout: Path) -> None:
        """Install the packages that sources of a checkout import, and link them into it.

        Args:
            checkout: the commit's files; its local packages are linked already.
        """
        top = checkout.resolve()
        imported = _list_imported(top)
        for lock in _select_locks(PackageFiles(top)):
            locked = _LockFile(top, lock)
            names = {name for folder, found in imported for name in found if locked.has(folder)}
            if not locked.locks_any(names):
                continue
            try:
                folder = self._ensure(locked)
                _link(top, folder)
                self.installed.add(folder)
            except FlowflareError as error:
                self.failures[locked.place] = error.message

    def _ensure(self, locked: "_LockFile") -> Path:
        """Return the folder with the installed packages."""
        files = locked.read_files()
        key = _make_key(files)
        if key in self._reasons:
            raise NodeError(self._reasons[key])
        target = find_node_place().cache / f"npm-{key[:32]}"
        try:
            install = choose_installer(locked.lock.name, locked.data)
            if not target.is_dir():
                self.on_progress(f"Installing the npm packages of {locked.place}")
                install_once(
                    target,
                    lambda folder: install(_write_files(folder, files) / locked.folder, files),
                    is_done=target.is_dir,
                )
        except FlowflareError as error:
            self._reasons[key] = error.message
            raise
        return target


@dataclass(frozen=True)
class _LockFile:
    """A lock file of a commit."""

    top: Path
    lock: Path

    @cached_property
    def data(self) -> bytes:
        return read_bytes(self.lock)

    @property
    def place(self) -> str:
        return self.lock.relative_to(self.top).as_posix()

    @property
    def folder(self) -> str:
        return self.lock.parent.relative_to(self.top).as_posix()

    @cached_property
    def _packages(self) -> Mapping[str, Mapping[str, Any]]:
        """The packages of npm's lock file by path; empty for other lock files."""
        if self.lock.name not in _NPM_LOCKS:
            return {}
        try:
            read = parse_json(self.data)
            return dict(read.get("packages") or read.get("dependencies") or {})
        except (ValueError, TypeError, AttributeError):
            raise NodeError("it is not valid JSON") from None

    def has(self, folder: Path) -> bool:
        return folder.is_relative_to(self.lock.parent)

    def locks_any(self, names: set[str]) -> bool:
        """Return whether it locks one of these packages; an unreadable file may lock any."""
        if self.lock.name not in _NPM_LOCKS:
            return any(name.encode() in self.data for name in names)
        try:
            locked = {
                path.rpartition(f"{MODULES}/")[2]
                for path, package in self._packages.items()
                if not package.get("link")
            }
        except (NodeError, AttributeError):
            return bool(names)
        return bool(names & locked)

    def read_files(self) -> dict[str, bytes]:
        """Read the files that determine the installed packages, by path in the commit.

        Raises:
            NodeError: one of them is outside the commit, or a package comes from git.
        """
        found = dict(self._list_files())
        settings = self.lock.parent / ".npmrc"
        if settings.is_file() and not settings.is_symlink():
            lines = read_bytes(settings).decode(errors="replace").splitlines()
            text = "".join(f"{line}\n" for line in lines if _SETTING.fullmatch(line))
            found[self._locate(settings)] = text.encode()
        return found

    def _list_files(self) -> Iterator[tuple[str, bytes]]:
        files = PackageFiles(self.top)
        yield self.place, self.data
        own = files.list_patches(self.lock)
        is_npm = self.lock.name in _NPM_LOCKS
        for file in own if is_npm else [*own, *files.list_manifests(self.lock.parent)]:
            yield self._locate(file), read_bytes(file)
        if not is_npm:
            return
        yield from self._list_manifest(self.lock.parent)
        for path, package in self._packages.items():
            source = str(package.get("resolved") or package.get("version") or "")
            if source.startswith(("git", "ssh")):
                raise NodeError(f"{path.rpartition(f'{MODULES}/')[2]} is installed from git")
            if path and MODULES not in path.split("/"):
                yield from self._list_manifest(self.lock.parent / path)
            if source.startswith("file:") and not package.get("link"):
                tarball = self.lock.parent / source.removeprefix("file:")
                yield self._locate(tarball), read_bytes(tarball)

    def _list_manifest(self, folder: Path) -> Iterator[tuple[str, bytes]]:
        file = folder / "package.json"
        if file.is_file():
            yield self._locate(file), read_bytes(file)

    def _locate(self, file: Path) -> str:
        """Return a file's path in the commit."""
        found = Path(os.path.normpath(file))
        if not (found.is_relative_to(self.top) and file.resolve().is_relative_to(self.top)):
            raise NodeError(f"{os.path.relpath(found, self.top)} is not part of the commit")
        return found.relative_to(self.top).as_posix()


def _select_locks(files: PackageFiles) -> list[Path]:
    """Select a lock file for each folder: npm's, if there are several."""
    found: dict[Path, Path] = {}
    for lock in files.locks:
        found.setdefault(lock.parent, lock)
    return list(found.values())


def _list_imported(top: Path) -> list[tuple[Path, set[str]]]:
    """List the folders with JavaScript, each with the packages that its files import."""
    found = []
    for folder, inner, files in os.walk(top):
        inner[:] = sorted(name for name in inner if name not in (MODULES, ".git"))
        names: set[str] = set()
        for file in files:
            path = Path(folder, file)
            if file.endswith(_SOURCES) and path.is_file():
                names |= {name.decode() for name in _IMPORT.findall(_read_source(path))}
        if names:
            found.append((Path(folder), names))
    return found


def _read_source(file: Path) -> bytes:
    try:
        return read_bytes(file)
    except OSError:
        return b""


def _make_key(files: Mapping[str, bytes]) -> str:
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    parts = [_FORMAT, sys.platform, platform.machine(), platform.libc_ver()[0], digests]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _write_files(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def _link(top: Path, installed: Path) -> None:
    """Link the packages of every `node_modules` folder of an installation into a checkout."""
    for folder, inner, _ in os.walk(installed):
        if MODULES in inner:
            inner.remove(MODULES)
            modules = Path(folder, MODULES)
            place = top / modules.relative_to(installed)
            for name in _list_installed(modules):
                link_package(top, place, name, modules / name)


def _list_installed(modules: Path) -> Iterator[str]:
    """List the packages in a `node_modules` folder, without those linked from another folder."""
    for entry in sorted(modules.iterdir()):
        names = [entry.name]
        if entry.name.startswith("@") and entry.is_dir():
            names = [f"{entry.name}/{inner.name}" for inner in sorted(entry.iterdir())]
        for name in names:
            is_linked = MODULES not in (modules / name).resolve().parts
            if not name.startswith(".") and not is_linked:
                yield name
