"""Bundles a Worker's source into one ES module with esbuild, the same bytes everywhere.

`bundle.mjs` runs in Node, once for all sources that the cache does not hold. Nothing that depends
on a stack goes into a bundle: options and tags are rendered around it (`render/worker.py`), so a
thousand tenants share one.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from flowflare import library
from flowflare.errors import NodeError, RenderError
from flowflare.reading.files import read_text
from flowflare.reading.json_text import parse_json
from flowflare.render import packages
from flowflare.render.cache import Bundle, BundleCache, digest
from flowflare.render.node import Progress, ensure_node_packages, run_node

#: The runtime library's specifier, which bundles to the service.
SERVICE_SPECIFIER = "@b-i-g-g-i-d-e-a/flowflare"

_NAMESPACE = "flowflare"
# What esbuild lists as inputs although there is no such file.
_NO_FILE = ("(disabled):", "<stdin>")
_SCRIPT = Path(__file__).parent / "bundle.mjs"


@dataclass(frozen=True)
class Source:
    """What to bundle.

    Attributes:
        entry: a path relative to `folder`, or a specifier of the runtime library.
        folder: the folder that paths in the bundle's comments are relative to.
        names: the exports that are wanted, empty for all of them.
    """

    entry: str
    folder: Path
    names: tuple[str, ...] = ()


def bundle_sources(
    sources: Sequence[Source], *, root: Path, on_progress: Progress | None = None
) -> list[Bundle]:
    """Bundles the sources, in one run of Node and only those that changed.

    Args:
        sources: what to bundle.
        root: the project's folder, which holds the cache.
        on_progress: is told when npm packages must be installed first.

    Raises:
        RenderError: a source does not bundle, with every error's file, line and column.
        NodeError: Node or esbuild is missing or does not run.
    """
    mode = packages.wanted()
    if mode == "required":
        return _bundled(sources, root, on_progress, mode)
    # Nothing changes in a checkout while its stacks are recorded.
    known = (tuple(sources), root)
    if known not in _RECORDED:
        _RECORDED[known] = _bundled(sources, root, on_progress, mode)
    return list(_RECORDED[known])


_RECORDED: Final[dict[tuple[tuple[Source, ...], Path], list[Bundle]]] = {}


def _bundled(
    sources: Sequence[Source], root: Path, on_progress: Progress | None, mode: packages.Packages
) -> list[Bundle]:
    cache = BundleCache(root)
    finder = _Inputs(library.folder("worker_src") / "flowflare")
    version = _esbuild_version()
    keys = [_key(source, version) for source in sources]
    found = [
        None if mode == "sources" else cache.find(key, finder.locate_in(source.folder))
        for key, source in zip(keys, sources, strict=True)
    ]
    missing = [source for source, bundle in zip(sources, found, strict=True) if bundle is None]
    if not missing:
        return [bundle for bundle in found if bundle]
    answers = _run(missing, finder.library, root, on_progress, mode)
    fresh = {}
    for source, answer in zip(missing, answers, strict=True):
        bundle = Bundle(answer["content"], tuple(sorted(answer["exports"])))
        inputs = finder.with_places(answer["inputs"], source.folder)
        left_out = answer["leftOut"]
        if left_out:
            told = packages.locked(left_out, source.entry, source.folder)
            bundle = Bundle(bundle.content + told, bundle.exports)
        elif mode != "sources":
            cache.store(_key(source, version), bundle, inputs, finder.locate_in(source.folder))
        fresh[source] = bundle
    return [bundle or fresh[source] for source, bundle in zip(sources, found, strict=True)]


class _Inputs:
    """Finds on disk what esbuild calls an input: `src/a.js`, or `flowflare:src/client.js`."""

    def __init__(self, library_folder: Path) -> None:
        self.library = library_folder

    def locate_in(self, folder: Path) -> "_Locate":
        return _Locate(folder, self.library)

    def with_places(self, inputs: Sequence[str], folder: Path) -> set[str]:
        """The inputs with what decides how they resolve: a name that ends in `/` is a listing.

        A new file may take an import over: `greet.js` beside `greet.ts`, a nearer `package.json`,
        a package in a nearer `node_modules`.
        """
        names = {name for name in inputs if not name.startswith(_NO_FILE)}
        for name in list(names):
            if name.startswith(f"{_NAMESPACE}:"):
                continue
            first, *others = (parent.as_posix() for parent in Path(name).parents)
            names.add(f"{first}/")
            for parent in (first, *others):
                if not parent.endswith("node_modules"):
                    names.add(f"{parent}/node_modules/")
            for parent in (first, *others):
                names.add(f"{parent}/package.json")
                if (folder / parent / "package.json").is_file():
                    break
        return names


@dataclass(frozen=True)
class _Locate:
    folder: Path
    library: Path

    def __call__(self, name: str) -> Path:
        in_library = name.removeprefix(f"{_NAMESPACE}:")
        return self.library / in_library if in_library != name else self.folder / name


def _key(source: Source, esbuild_version: str) -> str:
    tsconfig = _tsconfig(source)
    return digest(
        esbuild_version,
        read_text(_SCRIPT),
        source.entry,
        ",".join(source.names),
        read_text(tsconfig) if tsconfig else "",
        json.dumps(_specifiers(library.folder("worker_src") / "flowflare")),
    )


def _tsconfig(source: Source) -> Path | None:
    """The `tsconfig.json` nearest to the entry, but none from outside the project."""
    for parent in Path(source.entry).parents:
        path = source.folder / parent / "tsconfig.json"
        if path.is_file():
            return path
    return None


def _esbuild_version() -> str:
    package = parse_json(read_text(library.node_project() / "package.json"))
    return str(package["dependencies"]["esbuild"])


def _specifiers(library_folder: Path) -> dict[str, str]:
    """The documented specifiers and the library's files they mean, from its package.json."""
    package = parse_json(read_text(library_folder / "package.json"))
    return {
        package["name"] + name.removeprefix("."): targets["default"].removeprefix("./")
        for name, targets in package["exports"].items()
    }


def _run(
    sources: Sequence[Source],
    library_folder: Path,
    root: Path,
    on_progress: Progress | None,
    mode: packages.Packages,
) -> list[dict[str, Any]]:
    for source in sources:
        _refuse_unusable_packages(source)
    programs = ensure_node_packages(on_progress, root=root, install=mode == "required")
    request = {
        "esbuild": str(programs.node_modules / "esbuild" / "lib" / "main.js"),
        "library": {
            "namespace": _NAMESPACE,
            "folder": str(library_folder),
            "specifiers": _specifiers(library_folder),
        },
        "entries": [_entry(source) for source in sources],
        "packages": mode,
    }
    done = run_node(programs, [str(_SCRIPT)], stdin=json.dumps(request), cwd=root)
    if done.returncode != 0:
        message = f"esbuild does not run: {done.stderr.strip()[-2000:]}"
        raise NodeError(message, remedy="Are the Node packages whole? `npm ci` installs them anew.")
    answers: list[dict[str, Any]] = parse_json(done.stdout)
    errors = [error for answer in answers for error in answer.get("errors", ())]
    if errors:
        raise _refused(errors)
    return answers


def _refuse_unusable_packages(source: Source) -> None:
    """Refuse a `package.json` that esbuild would wait for: a named pipe, or a device."""
    for parent in Path(source.entry).parents:
        path = source.folder / parent / "package.json"
        if path.exists() and not path.is_file():
            raise RenderError(f"{path} is not a file", remedy="Put an ordinary file in its place.")


def _entry(source: Source) -> dict[str, object]:
    tsconfig = _tsconfig(source)
    is_path = source.entry != SERVICE_SPECIFIER
    return {
        # Without `./` esbuild would look for a package of that name.
        "source": f"./{source.entry}" if is_path else source.entry,
        "names": source.names,
        "folder": str(source.folder.resolve()),
        "tsconfig": str(tsconfig.resolve()) if tsconfig else None,
    }


def _refused(errors: Sequence[dict[str, Any]]) -> RenderError:
    return RenderError("\n".join(_worded(error) for error in errors))


def _worded(error: dict[str, Any]) -> str:
    """`file:line:column: what`, then the line with a caret below the column."""
    if not error.get("file"):
        return str(error["text"])
    line, column = error["line"], error["column"]
    gutter = f"  {line} | "
    return (
        f"{error['file']}:{line}:{column + 1}: {error['text']}\n"
        f"{gutter}{error['lineText']}\n"
        f"{' ' * (len(gutter) + column)}^"
    )
