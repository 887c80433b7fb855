"""Parse a YAML text once, into a node tree and plain values with their lines.

PyYAML's constructors follow YAML 1.1 (`yes` is true, `2026-11-01` is a date), but Pulumi's Go
library does not. Only the node tree is therefore PyYAML's. A plain scalar is a boolean, a number or
null according to YAML 1.2, and otherwise the text as it is written. An alias repeats a node, so a
tree of ten lines can expand to a billion values: a tree that is infinite, too deep or too large is
refused.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Self

import yaml

from flowflare.errors import Problem
from flowflare.reading.files import UnusableFileError, read_text

_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: Mapping[str, object] = {
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
    "null": None, "Null": None, "NULL": None, "~": None, "": None,
}  # fmt: skip
_STRING = "tag:yaml.org,2002:str"
#: libyaml's parser if PyYAML was built with it, because a fleet's file may have 10,000s of lines.
_LOADER: type[yaml.SafeLoader] | type[yaml.CSafeLoader] = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)
_MERGE = "tag:yaml.org,2002:merge"
# Far above any real configuration.
_LEVELS: Final = 100
_VALUES: Final = 2_000_000


@dataclass(frozen=True)
class Entry:
    """One key of a mapping: its name, the node of its value, and the line of the key."""

    key: str
    node: yaml.Node
    line: int


@dataclass(frozen=True)
class YamlText:
    """The text of a YAML file, which is parsed at most once."""

    name: str
    text: str

    @classmethod
    def read(cls, path: Path, problems: list[Problem]) -> Self | None:
        """Read a file; return None, and add a problem, if it cannot be read."""
        try:
            return cls(path.name, read_text(path))
        except OSError as error:
            problems.append(describe_read_error(path, error))
            return None

    def parse(self, problems: list[Problem]) -> yaml.Node | None:
        """Return the root node, which must not be changed.

        Args:
            problems: gains an entry if the text is not YAML.

        Returns:
            The root node; None for an empty or unreadable text.
        """
        root, problem = self._tree_or_problem
        problems += [problem] if problem else []
        return root

    def plain_keys(self) -> dict[str, object]:
        """Return the values of the keys, and ignore problems; empty if it is not a mapping."""
        root = self.parse([])
        value = ValueReader("", []).value(root, "", 1) if root is not None else None
        return value if isinstance(value, dict) else {}

    @cached_property
    def _tree_or_problem(self) -> tuple[yaml.Node | None, Problem | None]:
        try:
            root = _compose(self.text)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = f"{self.name}:{mark.line + 1}" if mark else self.name
            message = f"invalid YAML: {error.problem or error}"
            remedy = "Check indentation, colons and quotes on this line."
            return None, Problem(line, message, remedy)
        except yaml.YAMLError as error:
            return None, Problem(self.name, f"invalid YAML: {error}")
        except RecursionError:
            return None, Problem(self.name, "invalid YAML: it is nested too deeply")
        except (OverflowError, ValueError):  # for `"\\UFFFFFFFF"`, PyYAML raises the error of chr()
            message = "invalid YAML: an escape does not name a character"
            return None, Problem(self.name, message)
        problem = None if root is None else _check_size(root, self.name)
        return (None, problem) if problem else (root, None)


def _compose(text: str) -> yaml.Node | None:
    # Both loaders build nodes only, never Python objects.
    try:
        return yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError:
        # PyYAML's own parser has better messages, and they are the same on every machine.
        return yaml.compose(text, Loader=yaml.SafeLoader)


def describe_read_error(path: Path, error: OSError) -> Problem:
    """Describe why a configuration file cannot be read."""
    if not isinstance(error, UnusableFileError):
        return Problem(path.name, f"cannot be read: {error.strerror}")
    why = error.strerror or ""
    remedy = "Save the file as UTF-8." if "UTF-8" in why else "Replace it with an ordinary file."
    return Problem(path.name, why, remedy)


def entries(node: yaml.MappingNode, file: str, problems: list[Problem]) -> Iterator[Entry]:
    """List a mapping's keys, keys merged by `<<` last; a key that is given twice is a problem."""
    seen: dict[str, int] = {}
    merged: list[yaml.MappingNode] = []
    for key_node, value in node.value:
        line = key_node.start_mark.line + 1
        if key_node.tag == _MERGE:
            sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
            merged += [source for source in sources if isinstance(source, yaml.MappingNode)]
            continue
        key = str(key_node.value)
        if key in seen:
            text = f"`{key}` is given twice, first on line {seen[key]}"
            problems.append(Problem(f"{file}:{line}", text, "Keep one of the two."))
            continue
        seen[key] = line
        yield Entry(key, value, line)
    for source in merged:
        for entry in entries(source, file, problems):
            if entry.key not in seen:
                seen[entry.key] = entry.line
                yield entry


class ValueReader:
    """Turn nodes into plain values, and record their places.

    Args:
        problems: gains an entry for each key that is given twice.
    """

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self._file = file
        self._problems = problems
        self.places: dict[str, tuple[str, int]] = {}

    def value(self, node: yaml.Node, path: str, line: int) -> object:
        """Return a node's value, and add the line of every key below `path` to `places`.

        Args:
            path: the full key, followed by the names of inner keys, joined by dots.
        """
        self.places[path] = (self._file, line)
        if isinstance(node, yaml.MappingNode):
            return {
                entry.key: self.value(entry.node, f"{path}.{entry.key}", entry.line)
                for entry in entries(node, self._file, self._problems)
            }
        if isinstance(node, yaml.SequenceNode):
            return [
                self.value(item, f"{path}.{index}", item.start_mark.line + 1)
                for index, item in enumerate(node.value)
            ]
        return scalar(node)


def scalar(node: yaml.Node) -> object:
    """Return a scalar's value according to YAML 1.2; quoted or unknown values are text."""
    text = str(node.value)
    # The style of a plain scalar is None in PyYAML's parser and empty in libyaml's.
    if getattr(node, "style", None) or node.tag == _STRING:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        # JSON parsers disagree on longer numbers, and they are hardly meant as numbers.
        return int(text) if len(text) < 300 else text
    if _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


def _check_size(root: yaml.Node, file: str) -> Problem | None:
    """Return the problem of a tree whose aliases cannot be expanded; None if they can be."""
    # The values and levels below each finished node, by the node's identity.
    done: dict[int, tuple[int, int]] = {}
    path: list[tuple[yaml.Node, Iterator[yaml.Node]]] = [(root, _below(root))]
    open_nodes = {id(root)}
    while path:
        node, rest = path[-1]
        child = next((node for node in rest if id(node) not in done), None)
        if child is None:
            path.pop()
            open_nodes.discard(id(node))
            sizes = [done[id(child)] for child in _below(node)]
            values = 1 + sum(size for size, _ in sizes)
            levels = 1 + max((deep for _, deep in sizes), default=0)
            if values > _VALUES:
                text = f"expands to more than {_VALUES:,} values, most of them through aliases"
                return _refuse_size(node, file, text)
            if levels > _LEVELS:
                return _refuse_size(node, file, f"is nested more than {_LEVELS} levels deep")
            done[id(node)] = (values, levels)
        elif id(child) in open_nodes:
            return _refuse_size(child, file, "contains itself, through an alias (`*name`)")
        else:
            open_nodes.add(id(child))
            path.append((child, _below(child)))
    return None


def _below(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value


def _refuse_size(node: yaml.Node, file: str, text: str) -> Problem:
    remedy = "Write the values instead of aliases."
    return Problem(f"{file}:{node.start_mark.line + 1}", f"the value {text}", remedy)
