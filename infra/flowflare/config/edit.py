"""Set values in a stack's file without changing any other character.

YAML libraries that write a whole document change its layout. Here the parser only finds where a
value begins and ends, and the text is replaced there. The result is parsed and compared before it
is saved.
"""

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from flowflare.config.yaml_nodes import ValueReader
from flowflare.errors import ConfigError, Problem
from flowflare.reading.files import read_text

#: The values that can be written: JSON values.
Written = Any
#: Keys from the outermost to the innermost, such as `("flowflare:names", "service")`.
Keys = tuple[str, ...]
_STEP = 2
# Also Pulumi's ciphertexts, `v1:<base64>:<base64>`.
_PLAIN = re.compile(r"[A-Za-z][\w.-]*(:[\w./+=-]+)*", re.ASCII)
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def set_values(
    file: Path,
    values: Mapping[Keys, Written],
    *,
    below: Keys = ("config",),
    header: Mapping[str, str] | None = None,
    check: Callable[[str], None] | None = None,
) -> str:
    """Set values in a file and replace it atomically.

    The file is read again first, to keep what other programs have written in the meantime.

    Args:
        file: the file, which exists.
        below: the keys above all of them.
        header: values of top-level keys, such as `encryptionsalt`.
        check: is called with the new text before it is saved; raises to keep the file as it is.

    Raises:
        ConfigError: the file is not YAML, or its layout cannot be edited safely.
    """
    before = text = read_text(file, newline="")
    wanted: dict[Keys, Written] = {(key,): value for key, value in (header or {}).items()}
    wanted |= {(*below, *keys): value for keys, value in values.items()}
    for keys, value in wanted.items():
        text = _set_value(file, text, keys, value)
    if text == before:
        return text
    expected = _parse_values(file, before)
    for keys, value in wanted.items():
        put_value(expected, keys, value)
    if _parse_values(file, text) != expected:
        raise _refuse(file, dict.fromkeys(keys[0] for keys in values))
    if check is not None:
        check(text)
    replace_file(file, text)
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
        rest = keys[depth + 1 :]
        if not isinstance(inner, yaml.MappingNode):
            return _replace(text, node, name, inner, rest, value)
        if not rest and isinstance(value, dict):
            return _set_mapping(file, text, (keys, value), (node, name, inner))
        node = inner
    # An alias, or a mapping in the place of another value.
    raise _refuse(file, keys[1:2])


def _set_mapping(
    file: Path,
    text: str,
    wanted: tuple[Keys, dict[str, Written]],
    found: tuple[yaml.MappingNode, yaml.Node, yaml.MappingNode],
) -> str:
    """Replace a mapping; if the keys are the same, only replace their values, to keep comments."""
    (keys, value), (parent, name, node) = wanted, found
    if {key.value for key, _ in node.value} != value.keys():
        return _replace(text, parent, name, node, (), value)
    for key, item in value.items():
        text = _set_value(file, text, (*keys, key), item)
    return text


def _replace(
    text: str,
    parent: yaml.MappingNode,
    name: yaml.Node,
    node: yaml.Node,
    rest: Keys,
    value: Written,
) -> str:
    begin, end = node.start_mark.index, _end_of(node)
    if not rest and ValueReader("", []).value(node, "", 1) == value:
        return text
    for key in reversed(rest):
        value = {key: value}
    head = text[: name.end_mark.index] + ":"
    if isinstance(value, dict) and value and not parent.flow_style:
        comment = re.compile(r":([ \t]+#[^\r\n]*)?").match(text, name.end_mark.index)
        head += (comment and comment[1]) or ""
        block = _block(value, name.start_mark.column + _STEP, _line_break(text))
        return head + block.rstrip("\r\n") + text[max(end, begin) :]
    if node.start_mark.line == name.end_mark.line:  # only spaces are between them
        head = text[:begin].removesuffix(" ") if text[begin - 1] == " " else text[:begin]
    written = _flow(value) if parent.flow_style else _line(value)
    return f"{head} {written}{text[end:]}"


def _insert(text: str, node: yaml.MappingNode, keys: Keys, value: Written) -> str:
    for key in reversed(keys[1:]):
        value = {key: value}
    if node.flow_style:
        last = node.end_mark.index - 1
        comma = ", " if node.value else ""
        return f"{text[:last].rstrip()}{comma}{json.dumps(keys[0])}: {_flow(value)}{text[last:]}"
    end = _line_break(text)
    added = {keys[0]: value}
    if not node.value or node.start_mark.column == 0:  # an empty file, or the file's own keys
        return _end_line(text) + _block(added, 0, end).removeprefix(end)
    namespace = keys[0].partition(":")[0]
    own = [entry for entry in node.value if str(entry[0].value).startswith(f"{namespace}:")]
    name, last_node = (own or node.value)[-1]
    line = re.compile(r"[^\r\n]*(\r?\n)?").match(text, _end_of(last_node))
    assert line is not None
    block = _block(added, name.start_mark.column, end).removeprefix(end)
    return f"{_end_line(text[: line.end()])}{block}{text[line.end() :]}"


def _block(entries: Mapping[str, Written], column: int, end: str) -> str:
    """Format a mapping as lines that begin at a column, after a line break."""
    lines = "".join(f"{end}{line}" for line in _list_lines(entries, column))
    return f"{lines}{end}"


def _list_lines(entries: Mapping[str, Written], column: int) -> Iterator[str]:
    for key, value in entries.items():
        head = f"{' ' * column}{_plain_or_quoted(str(key))}:"
        if isinstance(value, dict) and value:
            yield head
            yield from _list_lines(value, column + _STEP)
        else:
            yield f"{head} {_line(value)}"


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


def put_value(tree: dict[str, Any], keys: Keys, value: Written) -> None:
    """Set a value in a tree that may share parts with another tree."""
    for key in keys[:-1]:
        inner = tree.get(key)
        tree[key] = dict(inner) if isinstance(inner, dict) else {}
        tree = tree[key]
    tree[keys[-1]] = value


def _line(value: Written) -> str:
    """Format the value of a key that is on a line of its own."""
    return _plain_or_quoted(value) if isinstance(value, str) else _flow(value)


def _flow(value: Written) -> str:
    """Format a value in one line, also inside `{}` and `[]`."""
    if isinstance(value, dict):
        entries = (f"{json.dumps(key)}: {_flow(item)}" for key, item in value.items())
        return f"{{{', '.join(entries)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, str) and ":" not in value:
        return _plain_or_quoted(value)
    return json.dumps(value, ensure_ascii=False)


def _plain_or_quoted(text: str) -> str:
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)


def _line_break(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _end_line(text: str) -> str:
    """End a string with a line break, unless it is empty or has one."""
    return text if not text or text.endswith("\n") else text + _line_break(text)


def _refuse(file: Path, keys: Iterable[str]) -> ConfigError:
    named = " and ".join(f"`{key}`" for key in keys)
    message = f"{named} cannot be set without changing something else"
    remedy = "Write the key on its own line, without an anchor or an alias."
    return ConfigError([Problem(file.name, message, remedy)])


def replace_file(file: Path, text: str) -> None:
    """Write a file atomically and durably; a file that exists keeps its mode."""
    target = file.resolve()
    handle, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(draft).chmod(target.stat().st_mode & 0o7777 if target.exists() else 0o644)
        Path(draft).replace(target)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
