"""Set texts inside structured keys of a stack's file without changing any other character.

`edit.py` does the same for keys with a simple value: the parser finds the positions, and the result
is parsed and compared before it is saved.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from flowflare.config.edit import (
    end_line,
    end_of,
    line_break,
    parse_root,
    parse_values,
    refuse_edit,
    replace_file,
)
from flowflare.config.yaml_nodes import ValueReader
from flowflare.reading.files import read_text

_CONFIG = "config"
_STEP = 2
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
Path_ = Sequence[str]


def set_paths(file: Path, values: Mapping[tuple[str, ...], str]) -> bool:
    """Set texts at paths below `config:` and replace the file atomically.

    Args:
        file: the stack's file; it exists.
        values: the keys from the outermost to the innermost, such as `("flowflare:names",
            "service")`, to the new text.

    Returns:
        Whether the file changed.

    Raises:
        ConfigError: the file is not YAML, or its layout cannot be edited safely.
    """
    before = read_text(file, newline="")
    text = before
    for path, value in values.items():
        text = _set_path(file, text, (_CONFIG, *path), value)
    if text == before:
        return False
    expected = parse_values(file, before)
    for path, value in values.items():
        _put(expected, (_CONFIG, *path), value)
    if parse_values(file, text) != expected:
        raise refuse_edit(file, {path[0]: 0 for path in values})
    replace_file(file, text)
    return True


def _set_path(file: Path, text: str, path: Path_, value: str) -> str:
    node: yaml.Node = parse_root(file, text)
    for depth, key in enumerate(path):
        assert isinstance(node, yaml.MappingNode)
        found = next((entry for entry in node.value if entry[0].value == key), None)
        if found is None:
            return _insert(text, node, path[depth:], value)
        name, inner = found
        if inner.start_mark.index < name.end_mark.index:
            raise refuse_edit(file, {path[1]: 0})  # an alias, whose text belongs to another key
        if not isinstance(inner, yaml.MappingNode):
            return _replace(text, name, inner, path[depth + 1 :], value)
        node = inner
    raise refuse_edit(file, {path[1]: 0})  # the path leads to a mapping, not to a text


def _replace(text: str, name: yaml.Node, node: yaml.Node, rest: Path_, value: str) -> str:
    if not rest and ValueReader("", []).value(node, "", 1) == value:
        return text
    begin, end = node.start_mark.index, node.end_mark.index
    written = (
        _block(rest, value, name.start_mark.column + _STEP, line_break(text))
        if rest
        else f" {_scalar(value)}"
    )
    head = text[: name.end_mark.index] + ":"
    # Only spaces between the key and its value are dropped.
    return head + written.rstrip("\r\n") + text[max(end, begin) :]


def _insert(text: str, node: yaml.MappingNode, path: Path_, value: str) -> str:
    if node.flow_style:
        last = node.end_mark.index - 1
        comma = ", " if node.value else ""
        written = _scalar(value)
        for key in reversed(path[1:]):
            written = f"{{{json.dumps(key)}: {written}}}"
        return f"{text[:last].rstrip()}{comma}{json.dumps(path[0])}: {written}{text[last:]}"
    end = line_break(text)
    if not node.value:  # an empty file
        return end_line(text) + _block(path, value, 0, end).lstrip("\r\n")
    namespace = path[0].partition(":")[0]
    own = [entry for entry in node.value if str(entry[0].value).startswith(f"{namespace}:")]
    name, last_node = (own or node.value)[-1]
    line = re.compile(r"[^\r\n]*(\r?\n)?").match(text, end_of(last_node))
    assert line is not None
    head = end_line(text[: line.end()])
    block = _block(path, value, name.start_mark.column, end).removeprefix(end)
    return f"{head}{block}{text[line.end() :]}"


def _block(path: Path_, value: str, column: int, end: str) -> str:
    """Format nested keys as lines that begin at a column, after a line break."""
    lines = []
    for depth, key in enumerate(path):
        last = depth == len(path) - 1
        lines.append(
            f"{' ' * (column + depth * _STEP)}{key}:{f' {_scalar(value)}' if last else ''}"
        )
    return end + end.join(lines) + end


def _scalar(value: str) -> str:
    plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS
    return value if plain else json.dumps(value, ensure_ascii=False)


def _put(tree: dict[str, object], path: Path_, value: str) -> None:
    for key in path[:-1]:
        inner = tree.get(key)
        if not isinstance(inner, dict):
            inner = tree[key] = {}
        else:
            inner = tree[key] = dict(inner)
        tree = inner
    tree[path[-1]] = value
