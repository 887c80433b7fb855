"""Bundle a Worker's source into one ES module with esbuild, with the same bytes everywhere.

`bundle.mjs` runs in Node, once for all sources that are not in the cache. A bundle contains nothing
that depends on a stack: options and tags are rendered around it (`render/worker.py`), so a thousand
tenants share one bundle.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from flowflare import library
from flowflare.errors import NodeError, RenderError
from flowflare.model.code_module import CodeModule, ModuleRule
from flowflare.reading.files import read_text
from flowflare.reading.json_text import parse_json
from flowflare.render import packages
from flowflare.render.cache import Bundle, BundleCache, hash_parts
from flowflare.render.compatibility import Compatibility
from flowflare.render.node import Progress, ensure_node_packages, run_node

#: The runtime library's specifier, which is bundled for the service.
SERVICE_SPECIFIER = "@b-i-g-g-i-d-e-a/flowflare"

_NAMESPACE = "flowflare"
# Names that esbuild lists as inputs although no such file exists.
_NO_FILE = ("(disabled):", "<stdin>")
# Inputs that are part of wrangler's packages, whose versions are locked (`node_compat.mjs`).
_LOCKED = ("unenv:", "required:", "globals:")
_SCRIPTS = tuple(Path(__file__).parent / name for name in ("bundle.mjs", "node_compat.mjs"))


@dataclass(frozen=True)
class BundleSource:
    """A source to bundle.

    Attributes:
        entry: a path relative to `folder`, or a specifier of the runtime library.
        folder: the folder that paths in the bundle's comments are relative to.
        names: the exports to keep; empty for all.
        node_compat: the Worker's compatibility, if its Node modules are resolved as wrangler does.
        has_source_map: whether a source map is made.
        rules: which imported files are texts, data or WebAssembly, before wrangler's rules.
    """

    entry: str
    folder: Path
    names: tuple[str, ...] = ()
    node_compat: Compatibility | None = None
    has_source_map: bool = False
    rules: tuple[ModuleRule, ...] = ()


def bundle_sources(
    sources: Sequence[BundleSource], *, root: Path, on_progress: Progress | None = None
) -> list[Bundle]:
    """Bundle the changed sources in one run of Node.

    Args:
        root: the project's folder, which contains the cache.
        on_progress: receives a message if npm packages must be installed first.

    Raises:
        RenderError: a source cannot be bundled; lists every error with file, line and column.
        NodeError: Node or esbuild is missing or does not run.
    """
    mode = packages.read_mode()
    if mode == "required":
        return _bundle(sources, root, on_progress, mode)
    # A checkout does not change while its stacks are recorded.
    known = (tuple(sources), root)
    if known not in _RECORDED:
        _RECORDED[known] = _bundle(sources, root, on_progress, mode)
    return list(_RECORDED[known])


_RECORDED: Final[dict[tuple[tuple[BundleSource, ...], Path], list[Bundle]]] = {}


def _bundle(
    sources: Sequence[BundleSource],
    root: Path,
    on_progress: Progress | None,
    mode: packages.Packages,
) -> list[Bundle]:
    cache = BundleCache(root)
    finder = _Inputs(library.folder("worker_src") / "flowflare")
    tools = _describe_tools()
    keys = {source: _make_key(source, tools) for source in sources}
    found = [
        None if mode == "sources" else cache.find(keys[source], finder.locate_in(source.folder))
        for source in sources
    ]
    missing = [source for source, bundle in zip(sources, found, strict=True) if bundle is None]
    if not missing:
        return [bundle for bundle in found if bundle]
    answers = _run(missing, finder.library, root, on_progress, mode)
    fresh = {}
    for source, answer in zip(missing, answers, strict=True):
        modules = (
            CodeModule(module["name"], module["contentType"], module["base64"])
            for module in answer["modules"]
        )
        bundle = Bundle(
            answer["content"],
            tuple(sorted(answer["exports"])),
            tuple(modules),
            answer["sourceMap"],
        )
        inputs = finder.with_places(answer["inputs"], source.folder)
        left_out = answer["leftOut"]
        if left_out:
            omitted = packages.describe_locked(left_out, source.entry, source.folder)
            bundle = replace(bundle, content=bundle.content + omitted)
        elif mode != "sources":
            cache.store(keys[source], bundle, inputs, finder.locate_in(source.folder))
        fresh[source] = bundle
    return [bundle or fresh[source] for source, bundle in zip(sources, found, strict=True)]


class _Inputs:
    """Locates esbuild's inputs on disk: `src/a.js`, or `flowflare:src/client.js`."""

    def __init__(self, library_folder: Path) -> None:
        self.library = library_folder

    def locate_in(self, folder: Path) -> "_Locate":
        return _Locate(folder, self.library)

    def with_places(self, inputs: Sequence[str], folder: Path) -> set[str]:
        """Add the paths that decide how inputs resolve; `/` ends the name of a folder's listing.

        A new file may take over an import: `greet.js` next to `greet.ts`, a nearer `package.json`,
        or a package in a nearer `node_modules`.
        """
        names = {name for name in inputs if not name.startswith((*_NO_FILE, *_LOCKED))}
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


def _make_key(source: BundleSource, tools: Sequence[str]) -> str:
    tsconfig = _find_tsconfig(source)
    compatibility = source.node_compat
    return hash_parts(
        *tools,
        source.entry,
        ",".join(source.names),
        json.dumps([compatibility.date, compatibility.flags] if compatibility else None),
        json.dumps([source.has_source_map, *(rule.model_dump() for rule in source.rules)]),
        read_text(tsconfig) if tsconfig else "",
    )


def _find_tsconfig(source: BundleSource) -> Path | None:
    """Find the `tsconfig.json` nearest to the entry, within the project."""
    for parent in Path(source.entry).parents:
        path = source.folder / parent / "tsconfig.json"
        if path.is_file():
            return path
    return None


def _describe_tools() -> list[str]:
    """Describe what bundles every source: esbuild, wrangler's unenv, our scripts and specifiers."""
    package = parse_json(read_text(library.node_project() / "package.json"))
    return [
        *(f"{name} {version}" for name, version in package["dependencies"].items()),
        *map(read_text, _SCRIPTS),
        json.dumps(_read_specifiers(library.folder("worker_src") / "flowflare")),
    ]


def _read_specifiers(library_folder: Path) -> dict[str, str]:
    """Map the documented specifiers to the library's files, from its package.json."""
    package = parse_json(read_text(library_folder / "package.json"))
    return {
        package["name"] + name.removeprefix("."): targets["default"].removeprefix("./")
        for name, targets in package["exports"].items()
    }


def _run(
    sources: Sequence[BundleSource],
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
            "specifiers": _read_specifiers(library_folder),
        },
        "wrangler": str(programs.node_modules / "wrangler" / "package.json"),
        "entries": [_make_entry(source) for source in sources],
        "packages": mode,
    }
    done = run_node(programs, [str(_SCRIPTS[0])], stdin=json.dumps(request), cwd=root)
    if done.returncode != 0:
        message = f"esbuild does not run: {done.stderr.strip()[-2000:]}"
        raise NodeError(message, remedy="Reinstall the Node packages: npm ci")
    answers: list[dict[str, Any]] = parse_json(done.stdout)
    errors = [error for answer in answers for error in answer.get("errors", ())]
    if errors:
        raise _make_error(errors)
    return answers


def _refuse_unusable_packages(source: BundleSource) -> None:
    """Refuse a `package.json` that would block esbuild: a named pipe, or a device."""
    for parent in Path(source.entry).parents:
        path = source.folder / parent / "package.json"
        if path.exists() and not path.is_file():
            raise RenderError(f"{path} is not a file", remedy="Replace it with an ordinary file.")


def _make_entry(source: BundleSource) -> dict[str, object]:
    tsconfig = _find_tsconfig(source)
    is_path = source.entry != SERVICE_SPECIFIER
    return {
        # Without `./` esbuild would look for a package of that name.
        "source": f"./{source.entry}" if is_path else source.entry,
        "names": source.names,
        "folder": str(source.folder.resolve()),
        "nodeCompat": asdict(source.node_compat) if source.node_compat else None,
        "sourceMap": source.has_source_map,
        "rules": [rule.model_dump() for rule in source.rules],
        "tsconfig": str(tsconfig.resolve()) if tsconfig else None,
    }


_REMEDIES: Final = {
    "built-in": (
        "These are modules of Node. To use them, set the client's `compatibilityDate` to "
        "2026-08-04 or later, or its `compatibilityFlags` to [nodejs_compat] and the date to "
        "2024-09-23 or later."
    ),
    "rule": (
        "If such files are not code, say what the Worker gets, in the client's `rules`: "
        '[{type: Text, globs: ["**/*.md"]}]. The types are Text, Data and CompiledWasm.'
    ),
}


def _make_error(errors: Sequence[dict[str, Any]]) -> RenderError:
    remedies = [text for cause, text in _REMEDIES.items() if any(cause in e for e in errors)]
    return RenderError("\n".join(map(_write_error, errors)), remedy=" ".join(remedies) or None)


def _write_error(error: dict[str, Any]) -> str:
    """Write `file:line:column: message`, then the line with a caret below the column."""
    if not error.get("file"):
        return str(error["text"])
    line, column = error["line"], error["column"]
    gutter = f"  {line} | "
    return (
        f"{error['file']}:{line}:{column + 1}: {error['text']}\n"
        f"{gutter}{error['lineText']}\n"
        f"{' ' * (len(gutter) + column)}^"
    )
