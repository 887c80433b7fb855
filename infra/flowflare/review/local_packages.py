"""Find the npm packages that are part of a commit, and link them into its checkout.

A workspace, and a `file:`, `link:`, `portal:` or `workspace:` dependency, is linked to its folder
in the commit, as npm would do, so that a change in it reaches the Workers. The commit may be
untrusted: nothing is written or linked outside the checkout.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from flowflare.config.yaml_nodes import YamlText
from flowflare.reading.files import read_text
from flowflare.reading.json_text import parse_json
from flowflare.render.packages import LOCK_FILES

#: The folder with installed packages.
MODULES: Final = "node_modules"
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
            inner[:] = sorted(name for name in inner if name not in (MODULES, ".git"))
            for file in sorted(files):
                kind = ".patch" if file.endswith(".patch") else file
                path = Path(folder, file)
                if kind in wanted and path.is_file() and not path.is_symlink():
                    found[kind].append(path)
        return {name: tuple(paths) for name, paths in found.items()}

    @property
    def locks(self) -> tuple[Path, ...]:
        """The files that lock packages, in each folder the one that npm would use first."""
        return tuple(path for name in LOCK_FILES for path in self._files_by_kind[name])

    def list_patches(self, lock: Path) -> list[Path]:
        """List the patches of the packages of a lock file: it is the nearest above them."""
        folders = {file.parent for file in self.locks}
        return [
            patch
            for patch in self._files_by_kind[".patch"]
            if next((folder for folder in patch.parents if folder in folders), None) == lock.parent
        ]

    def list_manifests(self, folder: Path) -> list[Path]:
        """List every `package.json` and `pnpm-workspace.yaml` in a folder and below it."""
        kinds = ("package.json", "pnpm-workspace.yaml")
        files = (file for kind in kinds for file in self._files_by_kind[kind])
        return [file for file in files if file.is_relative_to(folder)]

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
        if inside and MODULES not in target.relative_to(self.top).parts and _NAME.fullmatch(name):
            yield LocalPackage(root / MODULES, name, target)


def link_local_packages(checkout: Path) -> None:
    """Link a commit's local packages into the `node_modules` folders of its checkout."""
    top = checkout.resolve()
    for package in PackageFiles(top).list_local_packages():
        link_package(top, package.modules, package.name, package.folder)


def link_package(top: Path, modules: Path, name: str, target: Path) -> None:
    """Link a package, unless the checkout has a file at that path.

    Args:
        top: the checkout's folder; nothing outside it is written.
        modules: the `node_modules` folder for the link.
    """
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
    return [path.parent for path in found if MODULES not in path.relative_to(root).parts]


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
