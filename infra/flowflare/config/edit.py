"""Set values in a stack's file without changing any other character.

YAML libraries that write a whole document change its layout. Here the parser only finds where a
value begins and ends, and the text is replaced there. The result is parsed and compared before it
is saved.
"""

import json
import os
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from flowflare.config.yaml_nodes import ValueReader
from flowflare.errors import ConfigError, Problem
from flowflare.reading.files import read_text

#: The values that can be written: whole numbers, lists of them, and texts.
Written = int | str | Sequence[int]
#: Keys from the outermost to the innermost, such as `("flowflare:names", "service")`.
Keys = tuple[str, ...]
_CONFIG = "config"
_STEP = 2
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def set_values(file: Path, values: Mapping[Keys, Written]) -> str:
    """Set values below `config:` and replace the file atomically.

    The file is read again for that, because it must keep what others have written in the meantime.

    Args:
        file: the stack's file; it exists.
        values: the keys of each value.

    Returns:
        The file's text.

    Raises:
        ConfigError: the file is not YAML, or its layout cannot be edited safely.
    """
    before = read_text(file, newline="")
    text = before
    for keys, value in values.items():
        text = _set_value(file, text, (_CONFIG, *keys), value)
    if text == before:
        return text
    expected = _parse_values(file, before)
    for keys, value in values.items():
        _put(expected, (_CONFIG, *keys), _to_json(value))
    if _parse_values(file, text) != expected:
        raise _refuse(file, dict.fromkeys(keys[0] for keys in values))
    _replace_file(file, text)
    return text


def _set_value(file: Path, text: str, keys: Keys, value: Written) -> str:
    node = _parse_root(file, text)
    for depth, key in enumerate(keys):
        found = next((entry for entry in node.value if entry[0].value == key), None)
        if found is None:
            return _insert(text, node, keys[depth:], value)
        name, inner = found
        if inner.start_mark.index < name.end_mark.index:
            break  # an alias, whose text belongs to another key
        if not isinstance(inner, yaml.MappingNode):
            return _replace(text, name, inner, keys[depth + 1 :], value)
        node = inner
    # An alias, or a mapping in the place of the value.
    raise _refuse(file, keys[1:2])


def _replace(text: str, name: yaml.Node, node: yaml.Node, rest: Keys, value: Written) -> str:
    begin, end = node.start_mark.index, _end_of(node)
    head = text[: name.end_mark.index] + ":"
    if rest:
        block = _block(rest, value, name.start_mark.column + _STEP, _line_break(text))
        return head + block.rstrip("\r\n") + text[max(end, begin) :]
    if ValueReader("", []).value(node, "", 1) == _to_json(value):
        return text
    if node.start_mark.line == name.end_mark.line:  # only spaces are between them
        head = text[:begin].removesuffix(" ") if text[begin - 1] == " " else text[:begin]
    return f"{head} {_scalar(value)}{text[end:]}"


def _insert(text: str, node: yaml.MappingNode, keys: Keys, value: Written) -> str:
    if node.flow_style:
        last = node.end_mark.index - 1
        comma = ", " if node.value else ""
        written = _scalar(value)
        for key in reversed(keys[1:]):
            written = f"{{{json.dumps(key)}: {written}}}"
        return f"{text[:last].rstrip()}{comma}{json.dumps(keys[0])}: {written}{text[last:]}"
    end = _line_break(text)
    if not node.value:  # an empty file
        return _end_line(text) + _block(keys, value, 0, end).removeprefix(end)
    namespace = keys[0].partition(":")[0]
    own = [entry for entry in node.value if str(entry[0].value).startswith(f"{namespace}:")]
    name, last_node = (own or node.value)[-1]
    line = re.compile(r"[^\r\n]*(\r?\n)?").match(text, _end_of(last_node))
    assert line is not None
    block = _block(keys, value, name.start_mark.column, end).removeprefix(end)
    return f"{_end_line(text[: line.end()])}{block}{text[line.end() :]}"


def _block(keys: Keys, value: Written, column: int, end: str) -> str:
    """Format nested keys as lines that begin at a column, after a line break."""
    lines = [f"{' ' * (column + depth * _STEP)}{key}:" for depth, key in enumerate(keys)]
    return f"{end}{end.join(lines)} {_scalar(value)}{end}"


def _end_of(node: yaml.Node) -> int:
    """Return where a value's text ends; the end mark of a block is after the comments below it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end_of(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _parse_root(file: Path, text: str) -> yaml.MappingNode:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        problem = Problem(file.name, f"invalid YAML: {error}")
        raise ConfigError([problem]) from None
    if root is None:
        return yaml.MappingNode("tag:yaml.org,2002:map", [])
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError([Problem(file.name, "has no keys")])
    return root


def _parse_values(file: Path, text: str) -> dict[str, Any]:
    problems: list[Problem] = []
    value = ValueReader(file.name, problems).value(_parse_root(file, text), "", 1)
    if problems:
        raise ConfigError(problems)
    assert isinstance(value, dict)
    return value


def _put(tree: dict[str, Any], keys: Keys, value: object) -> None:
    """Set a value in a tree whose parts may also be parts of another tree."""
    for key in keys[:-1]:
        inner = tree.get(key)
        tree[key] = dict(inner) if isinstance(inner, dict) else {}
        tree = tree[key]
    tree[keys[-1]] = value


def _to_json(value: Written) -> object:
    return value if isinstance(value, (int, str)) else list(value)


def _scalar(value: Written) -> str:
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str):
        return f"[{', '.join(map(str, value))}]"
    plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS
    return value if plain else json.dumps(value, ensure_ascii=False)


def _line_break(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _end_line(text: str) -> str:
    """End a text with a line break, unless it is empty or has one."""
    return text if not text or text.endswith("\n") else text + _line_break(text)


def _refuse(file: Path, keys: Iterable[str]) -> ConfigError:
    named = " and ".join(f"`{key}`" for key in keys)
    message = f"{named} cannot be set without changing something else"
    remedy = "Write the key on its own line, without an anchor or an alias."
    return ConfigError([Problem(file.name, message, remedy)])


def _replace_file(file: Path, text: str) -> None:
    """Replace a file atomically and keep its mode."""
    target = file.resolve()
    handle, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(draft).chmod(target.stat().st_mode & 0o7777)
        Path(draft).replace(target)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
