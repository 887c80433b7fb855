"""Finds what a Pulumi program is made of: its own modules, and whatever else it reads.

Only what the program imports is looked at, and nothing of it is run. What it may read beside its
configuration, such as files, the network or another stack's outputs, cannot be told from outside:
it is said as a sentence, and then the program counts as changed every time. A comment in the file
that reads says what it is:

    # flowflare: reads data/plans.json, data/regions/*.json
"""

import ast
import importlib.metadata
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from flowflare.reading.files import read_text

_READS: Final = re.compile(r"^\s*# flowflare: reads (.+)$", re.MULTILINE)
#: Modules of Python that give the same answers everywhere and at any time.
_PURE: Final = frozenset(
    {"__future__", "abc", "argparse", "base64", "bisect", "collections", "contextlib", "copy",
     "dataclasses", "decimal", "enum", "fractions", "functools", "hashlib", "heapq", "html",
     "inspect", "ipaddress", "itertools", "json", "logging", "math", "numbers", "operator",
     "re", "statistics", "string", "textwrap", "types", "typing", "typing_extensions",
     "urllib.parse"}
)  # fmt: skip
#: Of this package, what takes everything from the configuration or from its arguments.
_OURS: Final = frozenset({"flowflare.resources", "flowflare.errors", "flowflare.model.names"})
#: What of Pulumi looks at something beside the program's configuration.
_LOOKS: Final = frozenset(
    {"StackReference", "FileAsset", "FileArchive", "RemoteAsset", "RemoteArchive", "runtime"}
    | {"automation", "invoke"}
)
_OF_PATHS: Final = frozenset({"join", "basename", "dirname", "splitext", "normpath", "sep"})
_BUILTINS: Final = frozenset({"open", "eval", "exec", "compile", "__import__", "input"})


@dataclass
class ProgramFiles:
    """What a program depends on beside its configuration.

    Attributes:
        files: its own modules and the files that it says it reads, sorted.
        variables: environment variables that it reads, each with the place where it does.
        packages: other packages that it imports, with their versions.
        unknown: what else it depends on, sentences with file and line.
    """

    files: tuple[Path, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


def program_files(main: Path, root: Path) -> ProgramFiles:
    """Looks through a program.

    Args:
        main: the program's folder, or its file.
        root: the project's folder, which the paths in sentences and comments are relative to.
    """
    entry = main / "__main__.py" if main.is_dir() else main
    folder = entry.parent
    found = ProgramFiles()
    seen: set[Path] = set()
    waiting = [entry]
    declared: set[Path] = set()
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        module = _Module(file, folder, root)
        module.look()
        waiting += module.own
        found.variables |= module.variables
        found.packages |= module.packages
        if module.reads is None:
            found.unknown += module.unknown
        else:
            declared |= set(_matching(root, module.reads))
    found.files = tuple(sorted(seen | declared))
    found.unknown.sort()
    return found


class _Module:
    """One file of a program.

    Attributes:
        own: the program's own modules that it imports.
        variables: environment variables that it reads.
        packages: packages that it imports, with their versions.
        unknown: what else it depends on.
        reads: the patterns that its comments say it reads; None without such a comment.
    """

    def __init__(self, file: Path, folder: Path, root: Path) -> None:
        self._file = file
        self._folder = folder
        self._root = root
        self._providers: set[str] = set()
        self.own: list[Path] = []
        self.variables: dict[str, str] = {}
        self.packages: dict[str, str] = {}
        self.unknown: list[str] = []
        self.reads: list[str] | None = None

    def look(self) -> None:
        """Reads the file and walks through it."""
        try:
            text = read_text(self._file)
            tree = ast.parse(text)
        except (OSError, ValueError, SyntaxError):
            self.unknown.append(f"{self._shown()} cannot be read as Python")
            return
        comments = _READS.findall(text)
        if comments:
            self.reads = [one.strip() for line in comments for one in line.split(",")]
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                self._imported_whole(node)
            elif isinstance(node, ast.ImportFrom):
                self._imported_from(node)
        for node in ast.walk(tree):
            self._used(node)

    def _imported_whole(self, node: ast.Import) -> None:
        for alias in node.names:
            self._imported(node, alias.name)
            if alias.name.startswith("pulumi_"):
                self._providers.add((alias.asname or alias.name).partition(".")[0])

    def _imported_from(self, node: ast.ImportFrom) -> None:
        names = [alias.name for alias in node.names]
        if node.level:
            package = self._file.parents[node.level - 1]
            self._take_own(package, [*(node.module or "").split("."), *[""]], names)
            return
        self._imported(node, node.module or "", names)

    def _imported(
        self, node: ast.Import | ast.ImportFrom, name: str, names: Iterable[str] = ()
    ) -> None:
        top = name.partition(".")[0]
        if top == "flowflare":
            if name not in _OURS:
                self._note(node, f"imports {name}")
        elif self._take_own(self._folder, name.split("."), names):
            return
        elif top == "pulumi" or top.startswith("pulumi_"):
            self.packages[top] = _version(top)
            looks = [
                one for one in (*name.split("."), *names) if one in _LOOKS or one[:4] == "get_"
            ]
            if looks and not (top == "pulumi" and all(one[:4] == "get_" for one in looks)):
                self._note(node, f"imports {looks[0]} of {top}")
        elif name not in _PURE and top not in _PURE and name != "os":
            self._note(node, f"imports {name}")
        elif name == "os" and names:
            self._note(node, "takes names out of os")

    def _take_own(self, start: Path, parts: Iterable[str], names: Iterable[str]) -> bool:
        """Adds the files of a module of the program; whether it is one."""
        place, found = start, False
        for part in filter(None, parts):
            place /= part
            if place.with_suffix(".py").is_file():
                self.own.append(place.with_suffix(".py"))
                return True
            if not place.is_dir():
                return found
            found = True
            self._add(place / "__init__.py")
        for name in names:
            self._add(place / f"{name}.py")
            self._add(place / name / "__init__.py")
        return found or place == start

    def _add(self, file: Path) -> None:
        if file.is_file():
            self.own.append(file)

    def _used(self, node: ast.AST) -> None:
        if isinstance(node, ast.Name) and node.id in _BUILTINS:
            self._note(node, f"uses {node.id}")
        elif isinstance(node, ast.Attribute):
            root = _root(node)
            if root == "os":
                self._of_os(node)
            elif root == "pulumi" and node.attr in _LOOKS:
                self._note(node, f"uses pulumi.{node.attr}")
            elif root in self._providers and (node.attr == "get" or node.attr[:4] == "get_"):
                self._note(node, f"looks something up in the account with {node.attr}")
        elif isinstance(node, ast.Subscript | ast.Call):
            name = _variable(node)
            if name:
                self.variables.setdefault(name, self._place(node))

    def _of_os(self, node: ast.Attribute) -> None:
        """What is read of the environment by name is known; anything else of `os` is not."""
        if isinstance(node.value, ast.Attribute):  # the inner one is looked at by itself
            if node.value.attr == "path" and node.attr not in _OF_PATHS:
                self._note(node, f"uses os.path.{node.attr}")
            return
        if node.attr in ("environ", "getenv"):
            if (node.lineno, node.col_offset) not in self._known_variables():
                self._note(node, f"uses os.{node.attr} other than by a name in quotes")
        elif node.attr not in ("path", "sep"):
            self._note(node, f"uses os.{node.attr}")

    def _known_variables(self) -> set[tuple[int, int]]:
        if not hasattr(self, "_known"):
            tree = ast.parse(read_text(self._file))
            self._known = {
                (node.lineno, node.col_offset)
                for node in ast.walk(tree)
                if isinstance(node, ast.Subscript | ast.Call) and _variable(node)
            }
        return self._known

    def _note(self, node: ast.expr | ast.stmt, what: str) -> None:
        self.unknown.append(f"{self._place(node)} {what}")

    def _place(self, node: ast.expr | ast.stmt) -> str:
        return f"{self._shown()}:{node.lineno}"

    def _shown(self) -> str:
        file = self._file
        return str(file.relative_to(self._root) if file.is_relative_to(self._root) else file)


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _variable(node: ast.Subscript | ast.Call) -> str:
    """The variable in `os.environ["X"]`, `os.environ.get("X")`, `os.getenv("X")`; else empty."""
    if isinstance(node, ast.Subscript):
        reads, named = ast.unparse(node.value) == "os.environ", node.slice
    elif node.args:
        reads = ast.unparse(node.func) in ("os.environ.get", "os.getenv")
        named = node.args[0]
    else:
        return ""
    is_text = isinstance(named, ast.Constant) and isinstance(named.value, str)
    return str(named.value) if reads and is_text and isinstance(named, ast.Constant) else ""


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package.replace("_", "-"))
    except importlib.metadata.PackageNotFoundError:
        return ""


def _matching(root: Path, patterns: Iterable[str]) -> Iterator[Path]:
    for pattern in patterns:
        try:
            yield from (one for one in root.glob(pattern) if one.is_file())
        except (ValueError, NotImplementedError):
            continue  # an absolute path, or none at all: nothing of the project
