"""Sets texts inside structured keys of a stack's file and leaves every other character as it was.

As `edit.py` does for keys of one value: the parser only says where things stand, and what comes
out is read again before it is kept.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from flowflare.config.edit import (
    _by_hand,
    _end,
    _ended,
    _line_end,
    _plain,
    _replace,
    _root,
)
from flowflare.config.yaml_nodes import ValueReader
from flowflare.reading.files import read_text

_CONFIG = "config"
_STEP = 2
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
Path_ = Sequence[str]


def set_paths(file: Path, values: Mapping[tuple[str, ...], str]) -> bool:
    """Sets texts at paths below `config:`; the file is replaced in one step, or not at all.

    Args:
        file: the stack's file; it exists.
        values: keys from the outermost to the innermost, `("flowflare:names", "service")`, to the
            text that is to stand there.

    Returns:
        Whether anything was different.

    Raises:
        ConfigError: the file is no YAML, or its layout is one that cannot be edited safely.
    """
    before = read_text(file, newline="")
    text = before
    for path, value in values.items():
        text = _with(file, text, (_CONFIG, *path), value)
    if text == before:
        return False
    expected = _plain(file, before)
    for path, value in values.items():
        _put(expected, (_CONFIG, *path), value)
    if _plain(file, text) != expected:
        raise _by_hand(file, {path[0]: 0 for path in values})
    _replace(file, text)
    return True


def _with(file: Path, text: str, path: Path_, value: str) -> str:
    node: yaml.Node = _root(file, text)
    for depth, key in enumerate(path):
        assert isinstance(node, yaml.MappingNode)
        found = next((entry for entry in node.value if entry[0].value == key), None)
        if found is None:
            return _inserted(text, node, path[depth:], value)
        name, inner = found
        if inner.start_mark.index < name.end_mark.index:
            raise _by_hand(file, {path[1]: 0})  # an alias: what stands there is another key's
        if not isinstance(inner, yaml.MappingNode):
            return _replaced(text, name, inner, path[depth + 1 :], value)
        node = inner
    raise _by_hand(file, {path[1]: 0})  # a mapping stands where a text is to be


def _replaced(text: str, name: yaml.Node, node: yaml.Node, rest: Path_, value: str) -> str:
    if not rest and ValueReader("", []).value(node, "", 1) == value:
        return text
    begin, end = node.start_mark.index, node.end_mark.index
    written = (
        _block(rest, value, name.start_mark.column + _STEP, _line_end(text))
        if rest
        else f" {_scalar(value)}"
    )
    head = text[: name.end_mark.index] + ":"
    # What stood between the key and its value was spaces; nothing is lost with them.
    return head + written.rstrip("\r\n") + text[max(end, begin) :]


def _inserted(text: str, node: yaml.MappingNode, path: Path_, value: str) -> str:
    if node.flow_style:
        last = node.end_mark.index - 1
        comma = ", " if node.value else ""
        written = _scalar(value)
        for key in reversed(path[1:]):
            written = f"{{{json.dumps(key)}: {written}}}"
        return f"{text[:last].rstrip()}{comma}{json.dumps(path[0])}: {written}{text[last:]}"
    end = _line_end(text)
    if not node.value:  # an empty file
        return _ended(text) + _block(path, value, 0, end).lstrip("\r\n")
    namespace = path[0].partition(":")[0]
    own = [entry for entry in node.value if str(entry[0].value).startswith(f"{namespace}:")]
    name, last_node = (own or node.value)[-1]
    line = re.compile(r"[^\r\n]*(\r?\n)?").match(text, _end(last_node))
    assert line is not None
    head = _ended(text[: line.end()])
    block = _block(path, value, name.start_mark.column, end).removeprefix(end)
    return f"{head}{block}{text[line.end() :]}"


def _block(path: Path_, value: str, column: int, end: str) -> str:
    """Nested keys as lines, the first on a line of its own, at a column."""
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
