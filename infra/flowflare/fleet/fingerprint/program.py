"""Find the inputs of a Pulumi program: its own modules and everything else that it reads.

The modules that the program imports are parsed, not run. Other inputs, such as files, the network
or the outputs of another stack, cannot be determined without running it. It is described in a
sentence, and the program then counts as changed every time. A comment in the module that reads
files can name them:

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
#: Modules of the standard library whose results do not depend on place or time.
_PURE: Final = frozenset(
    {"__future__", "abc", "argparse", "base64", "bisect", "collections", "contextlib", "copy",
     "dataclasses", "decimal", "enum", "fractions", "functools", "hashlib", "heapq", "html",
     "inspect", "ipaddress", "itertools", "json", "logging", "math", "numbers", "operator",
     "re", "statistics", "string", "textwrap", "types", "typing", "typing_extensions",
     "urllib.parse"}
)  # fmt: skip
#: Modules of this package that depend only on the configuration and their arguments.
_OURS: Final = frozenset({"flowflare.resources", "flowflare.errors", "flowflare.model.names"})
#: Names of Pulumi that read more than the program's configuration.
_LOOKS: Final = frozenset(
    {"StackReference", "FileAsset", "FileArchive", "RemoteAsset", "RemoteArchive", "runtime"}
    | {"automation", "invoke"}
)
_OF_PATHS: Final = frozenset({"join", "basename", "dirname", "splitext", "normpath", "sep"})
_BUILTINS: Final = frozenset({"open", "eval", "exec", "compile", "__import__", "input"})


@dataclass
class ProgramInputs:
    """The inputs of a program besides its configuration.

    Attributes:
        files: its own modules and the files that its comments name, sorted.
        variables: environment variables that it reads, each with file and line.
        packages: other packages that it imports, with their versions.
        unknown: other inputs, as sentences with file and line.
    """

    files: tuple[Path, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


def find_program_inputs(main: Path, root: Path) -> ProgramInputs:
    """Find the inputs of a program.

    Args:
        main: the program's folder or file.
        root: the project's folder; paths in sentences and comments are relative to it.
    """
    entry = main / "__main__.py" if main.is_dir() else main
    folder = entry.parent
    found = ProgramInputs()
    seen: set[Path] = set()
    waiting = [entry]
    declared: set[Path] = set()
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        module = _Module(file, folder, root)
        module.read()
        waiting += module.own
        found.variables |= module.variables
        found.packages |= module.packages
        if module.reads is None:
            found.unknown += module.unknown
        else:
            declared |= set(_match_files(root, module.reads))
    found.files = tuple(sorted(seen | declared))
    found.unknown.sort()
    return found


class _Module:
    """One file of a program.

    Attributes:
        own: the program's own modules that it imports.
        variables: environment variables that it reads.
        packages: packages that it imports, with their versions.
        unknown: its other inputs.
        reads: the patterns that its `reads` comments name; None without such a comment.
    """

    def __init__(self, file: Path, folder: Path, root: Path) -> None:
        self._file = file
        self._folder = folder
        self._root = root
        self._providers: set[str] = set()
        self._variable_places: set[tuple[int, int]] = set()
        self.own: list[Path] = []
        self.variables: dict[str, str] = {}
        self.packages: dict[str, str] = {}
        self.unknown: list[str] = []
        self.reads: list[str] | None = None

    def read(self) -> None:
        """Parse the file and collect its inputs."""
        try:
            text = read_text(self._file)
            tree = ast.parse(text)
        except (OSError, ValueError, SyntaxError):
            self.unknown.append(f"{self._display_name()} cannot be read as Python")
            return
        comments = _READS.findall(text)
        if comments:
            self.reads = [pattern.strip() for line in comments for pattern in line.split(",")]
        nodes = list(ast.walk(tree))
        for node in nodes:
            if isinstance(node, ast.Import):
                self._check_import(node)
            elif isinstance(node, ast.ImportFrom):
                self._check_import_from(node)
            elif isinstance(node, ast.Subscript | ast.Call) and (name := _variable(node)):
                self._variable_places.add((node.lineno, node.col_offset))
                self.variables.setdefault(name, self._place(node))
        for node in nodes:
            self._check_use(node)

    def _check_import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._check_module(node, alias.name)
            if alias.name.startswith("pulumi_"):
                self._providers.add((alias.asname or alias.name).partition(".")[0])

    def _check_import_from(self, node: ast.ImportFrom) -> None:
        names = [alias.name for alias in node.names]
        if node.level:
            package = self._file.parents[node.level - 1]
            self._add_own(package, [*(node.module or "").split("."), *[""]], names)
            return
        self._check_module(node, node.module or "", names)

    def _check_module(
        self, node: ast.Import | ast.ImportFrom, name: str, names: Iterable[str] = ()
    ) -> None:
        top = name.partition(".")[0]
        if top == "flowflare":
            if name not in _OURS:
                self._note(node, f"imports {name}")
        elif self._add_own(self._folder, name.split("."), names):
            return
        elif top == "pulumi" or top.startswith("pulumi_"):
            self.packages[top] = _version(top)
            used = (*name.split("."), *names)
            looks = [part for part in used if part in _LOOKS or part[:4] == "get_"]
            if looks and not (top == "pulumi" and all(part[:4] == "get_" for part in looks)):
                self._note(node, f"imports {looks[0]} from {top}")
        elif name not in _PURE and top not in _PURE and name != "os":
            self._note(node, f"imports {name}")
        elif name == "os" and names:
            self._note(node, "imports names from os")

    def _add_own(self, start: Path, parts: Iterable[str], names: Iterable[str]) -> bool:
        """Add the files of one of the program's own modules; return whether it is one."""
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

    def _check_use(self, node: ast.AST) -> None:
        if isinstance(node, ast.Name) and node.id in _BUILTINS:
            self._note(node, f"uses {node.id}")
        elif isinstance(node, ast.Attribute):
            root = _root(node)
            if root == "os":
                self._check_os(node)
            elif root == "pulumi" and node.attr in _LOOKS:
                self._note(node, f"uses pulumi.{node.attr}")
            elif root in self._providers and (node.attr == "get" or node.attr[:4] == "get_"):
                self._note(node, f"reads the account with {node.attr}")

    def _check_os(self, node: ast.Attribute) -> None:
        """Note every use of `os` except reading a named environment variable."""
        if isinstance(node.value, ast.Attribute):  # the inner attribute is visited by itself
            if node.value.attr == "path" and node.attr not in _OF_PATHS:
                self._note(node, f"uses os.path.{node.attr}")
            return
        if node.attr in ("environ", "getenv"):
            if (node.lineno, node.col_offset) not in self._variable_places:
                self._note(node, f"uses os.{node.attr} without a literal name")
        elif node.attr not in ("path", "sep"):
            self._note(node, f"uses os.{node.attr}")

    def _note(self, node: ast.expr | ast.stmt, what: str) -> None:
        self.unknown.append(f"{self._place(node)} {what}")

    def _place(self, node: ast.expr | ast.stmt) -> str:
        return f"{self._display_name()}:{node.lineno}"

    def _display_name(self) -> str:
        file = self._file
        return str(file.relative_to(self._root) if file.is_relative_to(self._root) else file)


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _variable(node: ast.Subscript | ast.Call) -> str:
    """Return X of `os.environ["X"]`, `os.environ.get("X")` or `os.getenv("X")`, or ''."""
    if isinstance(node, ast.Subscript):
        reads, named = ast.unparse(node.value) == "os.environ", node.slice
    elif node.args:
        reads = ast.unparse(node.func) in ("os.environ.get", "os.getenv")
        named = node.args[0]
    else:
        return ""
    if reads and isinstance(named, ast.Constant) and isinstance(named.value, str):
        return named.value
    return ""


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package.replace("_", "-"))
    except importlib.metadata.PackageNotFoundError:
        return ""


def _match_files(root: Path, patterns: Iterable[str]) -> Iterator[Path]:
    for pattern in patterns:
        try:
            yield from (path for path in root.glob(pattern) if path.is_file())
        except (ValueError, NotImplementedError):
            continue  # an absolute or empty pattern matches nothing in the project
