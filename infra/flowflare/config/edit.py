"""Sets single keys in a stack's file and leaves every other character of it as it was.

A YAML library that writes a whole document lays it out anew. Here the parser only says where a
value begins and ends; the text is cut there, and what comes out is read again before it is kept.
"""

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from flowflare.config.yaml_nodes import ValueReader
from flowflare.errors import ConfigError, Problem
from flowflare.reading.files import read_text

#: What can be written: whole numbers and lists of them.
Written = int | Sequence[int]
_CONFIG = "config"


def set_keys(file: Path, values: Mapping[str, Written]) -> bool:
    """Sets keys below `config:`; the file is replaced in one step, or not at all.

    Args:
        file: the stack's file; it exists.
        values: full key to its value.

    Returns:
        Whether anything was different.

    Raises:
        ConfigError: the file is no YAML, or its layout is one that cannot be edited safely.
    """
    before = read_text(file, newline="")
    text = before
    for key, value in values.items():
        text = _with_key(file, text, key, value)
    if text == before:
        return False
    expected = _plain(file, before)
    block = expected.get(_CONFIG)
    kept = block if isinstance(block, dict) else {}
    expected[_CONFIG] = kept | {key: _listed(value) for key, value in values.items()}
    if _plain(file, text) != expected:
        raise _by_hand(file, values)
    _replace(file, text)
    return True


def _with_key(file: Path, text: str, key: str, value: Written) -> str:
    root = _root(file, text)
    written = _text(value)
    block = next((node for name, node in root.value if name.value == _CONFIG), None)
    if block is None:
        return _ended(text) + _line_end(text).join([f"{_CONFIG}:", f"  {key}: {written}", ""])
    if not isinstance(block, yaml.MappingNode):  # `config:` with nothing below it
        return _spliced(text, block, f"{_line_end(text)}  {key}: {written}")
    for name, node in block.value:
        if name.value == key:
            if _listed(value) == _value(node):
                return text
            return _with_value(file, text, name, node, written)
    return _with_entry(text, block, key, written)


def _with_value(file: Path, text: str, name: yaml.Node, node: yaml.Node, written: str) -> str:
    begin, end = node.start_mark.index, _end(node)
    if begin < name.end_mark.index:
        # An alias: what stands there is another key's value.
        raise _by_hand(file, {str(name.value): 0})
    if node.start_mark.line == name.end_mark.line:
        space = " " if text[begin - 1] == ":" else ""
        return f"{text[:begin]}{space}{written}{text[end:]}"
    return f"{text[: name.end_mark.index]}: {written}{text[end:]}"


def _with_entry(text: str, block: yaml.MappingNode, key: str, written: str) -> str:
    if block.flow_style:
        last = block.end_mark.index - 1
        comma = ", " if block.value else ""
        return f'{text[:last].rstrip()}{comma}"{key}": {written}{text[last:]}'
    namespace = key.partition(":")[0]
    own = [entry for entry in block.value if str(entry[0].value).startswith(f"{namespace}:")]
    name, node = (own or block.value)[-1]
    line = re.compile(r"[^\r\n]*(\r?\n)?").match(text, _end(node))
    assert line is not None
    indent = " " * name.start_mark.column
    head = _ended(text[: line.end()])
    return f"{head}{indent}{key}: {written}{_line_end(text)}{text[line.end() :]}"


def _end(node: yaml.Node) -> int:
    """Where a value's text ends; a block's mark lies after the comments that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _spliced(text: str, node: yaml.Node, written: str) -> str:
    return f"{text[: node.start_mark.index]}{written}{text[node.end_mark.index :]}"


def _root(file: Path, text: str) -> yaml.MappingNode:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        problem = Problem(file.name, f"invalid YAML: {error}")
        raise ConfigError([problem]) from None
    if root is None:
        return yaml.MappingNode("tag:yaml.org,2002:map", [])
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError([Problem(file.name, "holds no keys")])
    return root


def _plain(file: Path, text: str) -> dict[str, object]:
    problems: list[Problem] = []
    value = ValueReader(file.name, problems).value(_root(file, text), "", 1)
    if problems:
        raise ConfigError(problems)
    assert isinstance(value, dict)
    return value


def _value(node: yaml.Node) -> object:
    return ValueReader("", []).value(node, "", 1)


def _listed(value: Written) -> object:
    return value if isinstance(value, int) else list(value)


def _text(value: Written) -> str:
    return str(value) if isinstance(value, int) else f"[{', '.join(map(str, value))}]"


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + _line_end(text)


def _by_hand(file: Path, values: Mapping[str, Written]) -> ConfigError:
    keys = " and ".join(f"`{key}`" for key in values)
    message = f"{keys} cannot be set without changing something else"
    remedy = "Write the key on a line of its own, without an anchor or an alias."
    return ConfigError([Problem(file.name, message, remedy)])


def _replace(file: Path, text: str) -> None:
    """Puts the text in the file's place, with its mode, through a draft beside it."""
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
