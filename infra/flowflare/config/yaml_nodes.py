"""Read a YAML file into plain values with their lines.

PyYAML's constructors follow YAML 1.1 (`yes` is true, `2026-11-01` is a date), but Pulumi's Go
library does not. Only the node tree is therefore PyYAML's. A plain scalar is a boolean, a number or
null according to YAML 1.2, and otherwise the text as it is written.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from flowflare.config.yaml_size import check_size
from flowflare.errors import Problem
from flowflare.reading.files import UnusableFileError
from flowflare.reading.files import read_text as read_file

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


@dataclass(frozen=True)
class Entry:
    """One key of a mapping: its name, the node of its value, and the line of the key."""

    key: str
    node: yaml.Node
    line: int


@lru_cache(maxsize=2)
def _compose(text: str) -> yaml.Node | None:
    """Parse a text into a node tree, which must not be changed.

    The cache serves Pulumi.yaml, which is read again for every stack.
    """
    # Both loaders build nodes only, never Python objects.
    try:
        return yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError:
        # PyYAML's own parser has better messages, and they are the same on every machine.
        return yaml.compose(text, Loader=yaml.SafeLoader)


def read_tree(path: Path, problems: list[Problem]) -> yaml.Node | None:
    """Read a file's node tree.

    Args:
        path: the file; it exists.
        problems: gains an entry if the file cannot be read or is not YAML.

    Returns:
        The root node; None for an empty or unreadable file.
    """
    try:
        return read_text(read_file(path), path.name, problems)
    except OSError as error:
        problems.append(describe_read_error(path, error))
    return None


def describe_read_error(path: Path, error: OSError) -> Problem:
    """Describe why a configuration file cannot be read.

    Args:
        path: the file.
        error: the error of reading it.
    """
    if not isinstance(error, UnusableFileError):
        return Problem(path.name, f"cannot be read: {error.strerror}")
    why = error.strerror or ""
    remedy = "Save the file as UTF-8." if "UTF-8" in why else "Replace it with an ordinary file."
    return Problem(path.name, why, remedy)


def read_text(text: str, file: str, problems: list[Problem]) -> yaml.Node | None:
    """Parse a text into a node tree.

    Args:
        text: the text.
        file: its name in problems.
        problems: gains an entry if the text is not YAML.

    Returns:
        The root node; None for an empty or unreadable text.
    """
    try:
        root = _compose(text)
        problem = None if root is None else check_size(root, file)
        if problem is None:
            return root
        problems.append(problem)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"{file}:{mark.line + 1}" if mark else file
        message = f"invalid YAML: {error.problem or error}"
        remedy = "Check indentation, colons and quotes on this line."
        problems.append(Problem(line, message, remedy))
    except yaml.YAMLError as error:
        problems.append(Problem(file, f"invalid YAML: {error}"))
    except RecursionError:
        problems.append(Problem(file, "invalid YAML: it is nested too deeply"))
    except (OverflowError, ValueError):  # for `"\\UFFFFFFFF"`, PyYAML raises the error of chr()
        problems.append(Problem(file, "invalid YAML: an escape does not name a character"))
    return None


def plain_keys(text: str) -> dict[str, object]:
    """Read the keys of a YAML text and ignore problems; empty if it is not a mapping."""
    problems: list[Problem] = []
    root = read_text(text, "", problems)
    value = ValueReader("", problems).value(root, "", 1) if root is not None else None
    return value if isinstance(value, dict) else {}


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
        file: the file's name in problems.
        problems: gains an entry for each key that is given twice.
    """

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self._file = file
        self._problems = problems
        self.places: dict[str, tuple[str, int]] = {}

    def value(self, node: yaml.Node, path: str, line: int) -> object:
        """Return a node's value, and add the line of every key below `path` to `places`.

        Args:
            node: the node.
            path: the full key, followed by the names of inner keys, joined by dots.
            line: the line of the node's key.
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
