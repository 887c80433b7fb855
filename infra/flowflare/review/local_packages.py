"""Link a commit's npm packages into its checkout: local packages and installed packages.

A package that is part of the commit (a workspace, a `file:`, `link:`, `portal:` or `workspace:`
dependency) is linked to its folder in the commit, as npm would do, so that a change in it reaches
the Workers. Other packages come from the working tree, if its lock file and patches are the same as
the commit's. The commit may be untrusted: nothing is written or linked outside the checkout.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from flowflare.config.yaml_nodes import YamlText
from flowflare.reading.files import read_bytes, read_text
from flowflare.reading.json_text import parse_json
from flowflare.render.packages import LOCK_FILES

_MODULES: Final = "node_modules"
_NAME: Final = re.compile(r"(@[\w.~-]+/)?[\w~-][\w.~-]*")
_PATH: Final = re.compile(r"(?:file|link|portal|workspace):(.*)")
_BRACES: Final = re.compile(r"\{([^{}]*)\}")
_DEPENDENCIES: Final = (
    *("dependencies", "devDependencies", "optionalDependencies", "peerDependencies"),
    *("overrides", "resolutions"),
)


@dataclass(frozen=True)
class LocalPackage:
    """A package that is part of the commit.

    Attributes:
        modules: the `node_modules` folder for its link.
        name: the package's name.
        folder: the package's folder.
    """

    modules: Path
    name: str
    folder: Path


@dataclass(frozen=True)
class PackageFiles:
    """The files of a folder that determine its npm packages.

    Attributes:
        top: the folder, with symbolic links resolved.
    """

    top: Path

    @cached_property
    def _files_by_kind(self) -> Mapping[str, tuple[Path, ...]]:
        wanted = {*LOCK_FILES, "package.json", "pnpm-workspace.yaml", ".patch"}
        found: dict[str, list[Path]] = {name: [] for name in wanted}
        for folder, inner, files in os.walk(self.top):
            inner[:] = sorted(name for name in inner if name not in (_MODULES, ".git"))
            for file in sorted(files):
                kind = ".patch" if file.endswith(".patch") else file
                path = Path(folder, file)
                if kind in wanted and path.is_file() and not path.is_symlink():
                    found[kind].append(path)
        return {name: tuple(paths) for name, paths in found.items()}

    @property
    def locks(self) -> tuple[Path, ...]:
        """The files that lock packages."""
        return tuple(sorted(path for name in LOCK_FILES for path in self._files_by_kind[name]))

    def read_contents(self) -> Mapping[str, bytes]:
        """Read the lock files and patches, by path."""
        return self._read(*self.locks) | self.read_patches()

    def read_patches(self) -> dict[str, bytes]:
        """Read the patches, by path."""
        return self._read(*self._files_by_kind[".patch"])

    def _read(self, *files: Path) -> dict[str, bytes]:
        return {file.relative_to(self.top).as_posix(): read_bytes(file) for file in files}

    def list_local_packages(self) -> Iterator[LocalPackage]:
        """List the folder's local packages, those referenced by a path first."""
        for file in self._files_by_kind["package.json"]:
            yield from self._list_by_path(file.parent, _read_json(file))
        for file in self._files_by_kind["package.json"]:
            yield from self._list_members(
                file.parent, _read_patterns(_read_json(file).get("workspaces"))
            )
        for file in self._files_by_kind["pnpm-workspace.yaml"]:
            yield from self._list_members(
                file.parent, _read_patterns(_read_yaml(file).get("packages"))
            )

    def _list_by_path(self, folder: Path, package: Mapping[str, Any]) -> Iterator[LocalPackage]:
        for key in _DEPENDENCIES:
            for name, spec in _as_mapping(package.get(key)).items():
                match = _PATH.fullmatch(spec) if isinstance(spec, str) else None
                # `workspace:*` and `workspace:^1.0.0` are versions, `workspace:../x` is a folder.
                if match and (match[1].startswith((".", "/", "~")) or spec[:2] in ("fi", "li")):
                    yield from self._check_package(folder, str(name), folder / match[1])

    def _list_members(self, root: Path, patterns: list[str]) -> Iterator[LocalPackage]:
        excluded = {
            path
            for pattern in patterns
            if pattern.startswith("!")
            for path in _glob(root, pattern[1:])
        }
        folders = [
            path
            for pattern in patterns
            if not pattern.startswith("!")
            for path in _glob(root, pattern)
        ]
        for folder in folders:
            name = _read_json(folder / "package.json").get("name")
            if folder not in excluded and isinstance(name, str):
                yield from self._check_package(root, name, folder)

    def _check_package(self, root: Path, name: str, folder: Path) -> Iterator[LocalPackage]:
        target = folder.resolve()
        inside = target.is_relative_to(self.top) and target.is_dir()
        if inside and _MODULES not in target.relative_to(self.top).parts and _NAME.fullmatch(name):
            yield LocalPackage(root / _MODULES, name, target)


def link_packages(checkout: Path, working_tree: Path) -> None:
    """Link packages into a checkout's `node_modules` folders.

    Args:
        checkout: the commit's files.
        working_tree: the folder in which packages may be installed.
    """
    top = checkout.resolve()
    files, there = PackageFiles(top), PackageFiles(working_tree.resolve())
    for package in files.list_local_packages():
        _link(top, package.modules, package.name, package.folder)
    patched_alike = files.read_patches() == there.read_patches()
    for lock in files.locks:
        place = lock.parent.relative_to(top)
        installed = there.top / place / _MODULES
        own = there.top / place / lock.name
        same = own.is_file() and read_bytes(own) == read_bytes(lock)
        if same and patched_alike and _is_installed_from(installed, lock):
            for name in _list_installed(installed):
                _link(top, lock.parent / _MODULES, name, installed / name)


def is_locked_alike(first: Path, second: Path) -> bool:
    """Return whether two checkouts lock and patch npm packages in the same way."""
    return (
        PackageFiles(first.resolve()).read_contents()
        == PackageFiles(second.resolve()).read_contents()
    )


def _is_installed_from(modules: Path, lock: Path) -> bool:
    """Return whether the lock file matches the installation, by npm's hidden lock file."""
    if not modules.is_dir():
        return False
    hidden = _read_json(modules / ".package-lock.json").get("packages")
    locked = _read_json(lock).get("packages")
    if not isinstance(hidden, dict) or not isinstance(locked, dict):
        return True
    keys = ("version", "integrity")
    return (
        all(
            [_as_mapping(package).get(key) for key in keys]
            == [_as_mapping(locked[path]).get(key) for key in keys]
            for path, package in hidden.items()
            if path in locked
        )
        and hidden.keys() <= locked.keys()
    )


def _list_installed(modules: Path) -> Iterator[str]:
    """List the packages in a `node_modules` folder, without those linked from another folder."""
    for entry in sorted(modules.iterdir()):
        names = [entry.name]
        if entry.name.startswith("@") and entry.is_dir():
            names = [f"{entry.name}/{inner.name}" for inner in sorted(entry.iterdir())]
        for name in names:
            is_linked = _MODULES not in (modules / name).resolve().parts
            if not name.startswith(".") and not is_linked:
                yield name


def _link(top: Path, modules: Path, name: str, target: Path) -> None:
    """Link a package, unless the commit has a file at that path."""
    link = modules / name
    if not link.parent.resolve().is_relative_to(top) or link.is_symlink() or link.exists():
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target)


def _glob(root: Path, pattern: str) -> list[Path]:
    """List the folders with a `package.json` that a workspace pattern matches."""
    match = _BRACES.search(pattern)
    if match:
        whole = (
            pattern[: match.start()] + alternative + pattern[match.end() :]
            for alternative in match[1].split(",")
        )
        return [path for alternative in whole for path in _glob(root, alternative)]
    plain = pattern.removeprefix("./").strip("/")
    if not plain or ".." in plain.split("/"):
        return []
    found = sorted(root.glob(f"{plain}/package.json"))
    return [path.parent for path in found if _MODULES not in path.relative_to(root).parts]


def _read_patterns(value: Any) -> list[str]:
    """Return the patterns of `workspaces`: a list, or Yarn's mapping with `packages`."""
    listed = value.get("packages") if isinstance(value, dict) else value
    return (
        [pattern for pattern in listed if isinstance(pattern, str)]
        if isinstance(listed, list)
        else []
    )


def _as_mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _read_json(file: Path) -> Mapping[str, Any]:
    if file.is_symlink():
        return {}
    try:
        return _as_mapping(parse_json(read_text(file)))
    except (OSError, ValueError):
        return {}


def _read_yaml(file: Path) -> Mapping[str, Any]:
    try:
        return YamlText("", read_text(file)).plain_keys()
    except OSError:
        return {}
