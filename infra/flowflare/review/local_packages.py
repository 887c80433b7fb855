"""Links the npm packages of a commit into its checkout: its own folders, and what is installed.

A package that a commit has itself (a workspace, a `file:`, `link:`, `portal:` or `workspace:`
dependency) is linked to the commit's own folder, as npm would do, so that a change of it reaches
the Workers. Other packages come from the working tree, if its lock file and patches are the
commit's. The commit may be a stranger's: nothing is written or linked outside the checkout.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from flowflare.config.yaml_nodes import plain_keys
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
    """A package that the commit has itself.

    Attributes:
        modules: the `node_modules` that it belongs into.
        name: its name.
        folder: where it is.
    """

    modules: Path
    name: str
    folder: Path


@dataclass(frozen=True)
class PackageFiles:
    """The files of a folder that decide about npm packages.

    Attributes:
        top: the folder, without links in its name.
    """

    top: Path

    @cached_property
    def _found(self) -> Mapping[str, tuple[Path, ...]]:
        wanted = {*LOCK_FILES, "package.json", "pnpm-workspace.yaml", ".patch"}
        found: dict[str, list[Path]] = {name: [] for name in wanted}
        for folder, inner, files in os.walk(self.top):
            inner[:] = sorted(one for one in inner if one not in (_MODULES, ".git"))
            for file in sorted(files):
                kind = ".patch" if file.endswith(".patch") else file
                path = Path(folder, file)
                if kind in wanted and path.is_file() and not path.is_symlink():
                    found[kind].append(path)
        return {name: tuple(paths) for name, paths in found.items()}

    @property
    def locks(self) -> tuple[Path, ...]:
        """Files that lock packages."""
        return tuple(sorted(path for name in LOCK_FILES for path in self._found[name]))

    def contents(self) -> Mapping[str, bytes]:
        """Lock files and patches by their paths, with what is in them."""
        return self._read(*self.locks) | self.patches()

    def patches(self) -> dict[str, bytes]:
        """Patches by their paths, with what is in them."""
        return self._read(*self._found[".patch"])

    def _read(self, *files: Path) -> dict[str, bytes]:
        return {file.relative_to(self.top).as_posix(): read_bytes(file) for file in files}

    def local_packages(self) -> Iterator[LocalPackage]:
        """The packages that the folder has itself, those with a path of their own first."""
        for file in self._found["package.json"]:
            yield from self._by_path(file.parent, _json(file))
        for file in self._found["package.json"]:
            yield from self._members(file.parent, _patterns(_json(file).get("workspaces")))
        for file in self._found["pnpm-workspace.yaml"]:
            yield from self._members(file.parent, _patterns(_yaml(file).get("packages")))

    def _by_path(self, folder: Path, package: Mapping[str, Any]) -> Iterator[LocalPackage]:
        for key in _DEPENDENCIES:
            for name, spec in _mapping(package.get(key)).items():
                match = _PATH.fullmatch(spec) if isinstance(spec, str) else None
                # `workspace:*` and `workspace:^1.0.0` name a version, `workspace:../x` a folder.
                if match and (match[1].startswith((".", "/", "~")) or spec[:2] in ("fi", "li")):
                    yield from self._package(folder, str(name), folder / match[1])

    def _members(self, root: Path, patterns: list[str]) -> Iterator[LocalPackage]:
        excluded = {
            path for one in patterns if one.startswith("!") for path in _glob(root, one[1:])
        }
        folders = [path for one in patterns if not one.startswith("!") for path in _glob(root, one)]
        for folder in folders:
            name = _json(folder / "package.json").get("name")
            if folder not in excluded and isinstance(name, str):
                yield from self._package(root, name, folder)

    def _package(self, root: Path, name: str, folder: Path) -> Iterator[LocalPackage]:
        target = folder.resolve()
        inside = target.is_relative_to(self.top) and target.is_dir()
        if inside and _MODULES not in target.relative_to(self.top).parts and _NAME.fullmatch(name):
            yield LocalPackage(root / _MODULES, name, target)


def link_packages(checkout: Path, working_tree: Path) -> None:
    """Link packages into a checkout's `node_modules` folders.

    Args:
        checkout: the commit's files.
        working_tree: where packages may be installed.
    """
    top = checkout.resolve()
    files, there = PackageFiles(top), PackageFiles(working_tree.resolve())
    for package in files.local_packages():
        _link(top, package.modules, package.name, package.folder)
    patched_alike = files.patches() == there.patches()
    for lock in files.locks:
        place = lock.parent.relative_to(top)
        installed = there.top / place / _MODULES
        own = there.top / place / lock.name
        same = own.is_file() and read_bytes(own) == read_bytes(lock)
        if same and patched_alike and _is_of(installed, lock):
            for name in _installed(installed):
                _link(top, lock.parent / _MODULES, name, installed / name)


def lock_alike(one: Path, other: Path) -> bool:
    """Whether two checkouts lock and patch npm packages in the same way."""
    return PackageFiles(one.resolve()).contents() == PackageFiles(other.resolve()).contents()


def _is_of(modules: Path, lock: Path) -> bool:
    """Whether what is installed is what is locked, as far as npm says (its hidden lock file)."""
    if not modules.is_dir():
        return False
    hidden = _json(modules / ".package-lock.json").get("packages")
    locked = _json(lock).get("packages")
    if not isinstance(hidden, dict) or not isinstance(locked, dict):
        return True
    keys = ("version", "integrity")
    return (
        all(
            [_mapping(package).get(key) for key in keys]
            == [_mapping(locked[path]).get(key) for key in keys]
            for path, package in hidden.items()
            if path in locked
        )
        and hidden.keys() <= locked.keys()
    )


def _installed(modules: Path) -> Iterator[str]:
    """Packages in a `node_modules`, but those linked from elsewhere: they are no installed ones."""
    for entry in sorted(modules.iterdir()):
        names = [entry.name]
        if entry.name.startswith("@") and entry.is_dir():
            names = [f"{entry.name}/{inner.name}" for inner in sorted(entry.iterdir())]
        for name in names:
            is_linked = _MODULES not in (modules / name).resolve().parts
            if not name.startswith(".") and not is_linked:
                yield name


def _link(top: Path, modules: Path, name: str, target: Path) -> None:
    """Link a package, unless the commit has something there."""
    link = modules / name
    if not link.parent.resolve().is_relative_to(top) or link.is_symlink() or link.exists():
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target)


def _glob(root: Path, pattern: str) -> list[Path]:
    """The folders with a `package.json` that a workspace's pattern means."""
    match = _BRACES.search(pattern)
    if match:
        whole = (
            pattern[: match.start()] + one + pattern[match.end() :] for one in match[1].split(",")
        )
        return [path for one in whole for path in _glob(root, one)]
    plain = pattern.removeprefix("./").strip("/")
    if not plain or ".." in plain.split("/"):
        return []
    found = sorted(root.glob(f"{plain}/package.json"))
    return [path.parent for path in found if _MODULES not in path.relative_to(root).parts]


def _patterns(value: Any) -> list[str]:
    """The patterns of `workspaces`: a list, or Yarn's mapping with `packages`."""
    listed = value.get("packages") if isinstance(value, dict) else value
    return [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _json(file: Path) -> Mapping[str, Any]:
    if file.is_symlink():
        return {}
    try:
        return _mapping(parse_json(read_text(file)))
    except (OSError, ValueError):
        return {}


def _yaml(file: Path) -> Mapping[str, Any]:
    try:
        return plain_keys(read_text(file))
    except OSError:
        return {}
