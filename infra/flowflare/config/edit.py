"""Set single keys in a stack's file without changing any other character.

YAML libraries that write a whole document change its layout. Here the parser only finds where a
value begins and ends, and the text is replaced there. The result is parsed and compared before it
is saved.
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

#: The values that can be written: whole numbers and lists of them.
Written = int | Sequence[int]
_CONFIG = "config"


def set_keys(file: Path, values: Mapping[str, Written]) -> bool:
    """Set keys below `config:` and replace the file atomically.

    Args:
        file: the stack's file; it exists.
        values: full key to its value.

    Returns:
        Whether the file changed.

    Raises:
        ConfigError: the file is not YAML, or its layout cannot be edited safely.
    """
    before = read_text(file, newline="")
    text = before
    for key, value in values.items():
        text = _set_key(file, text, key, value)
    if text == before:
        return False
    expected = parse_values(file, before)
    block = expected.get(_CONFIG)
    present = block if isinstance(block, dict) else {}
    expected[_CONFIG] = present | {key: _to_json(value) for key, value in values.items()}
    if parse_values(file, text) != expected:
        raise refuse_edit(file, values)
    replace_file(file, text)
    return True


def _set_key(file: Path, text: str, key: str, value: Written) -> str:
    root = parse_root(file, text)
    written = _text(value)
    block = next((node for name, node in root.value if name.value == _CONFIG), None)
    if block is None:
        lines = [f"{_CONFIG}:", f"  {key}: {written}", ""]
        return end_line(text) + line_break(text).join(lines)
    if not isinstance(block, yaml.MappingNode):  # an empty `config:`
        return _splice(text, block, f"{line_break(text)}  {key}: {written}")
    for name, node in block.value:
        if name.value == key:
            if _to_json(value) == _value(node):
                return text
            return _replace_value(file, text, name, node, written)
    return _add_entry(text, block, key, written)


def _replace_value(file: Path, text: str, name: yaml.Node, node: yaml.Node, written: str) -> str:
    begin, end = node.start_mark.index, end_of(node)
    if begin < name.end_mark.index:
        # The value is an alias; its text belongs to another key.
        raise refuse_edit(file, {str(name.value): 0})
    if node.start_mark.line == name.end_mark.line:
        space = " " if text[begin - 1] == ":" else ""
        return f"{text[:begin]}{space}{written}{text[end:]}"
    return f"{text[: name.end_mark.index]}: {written}{text[end:]}"


def _add_entry(text: str, block: yaml.MappingNode, key: str, written: str) -> str:
    if block.flow_style:
        last = block.end_mark.index - 1
        comma = ", " if block.value else ""
        return f'{text[:last].rstrip()}{comma}"{key}": {written}{text[last:]}'
    namespace = key.partition(":")[0]
    own = [entry for entry in block.value if str(entry[0].value).startswith(f"{namespace}:")]
    name, node = (own or block.value)[-1]
    line = re.compile(r"[^\r\n]*(\r?\n)?").match(text, end_of(node))
    assert line is not None
    indent = " " * name.start_mark.column
    head = end_line(text[: line.end()])
    return f"{head}{indent}{key}: {written}{line_break(text)}{text[line.end() :]}"


def end_of(node: yaml.Node) -> int:
    """Return where a value's text ends; the end mark of a block is after the comments below it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return end_of(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _splice(text: str, node: yaml.Node, written: str) -> str:
    return f"{text[: node.start_mark.index]}{written}{text[node.end_mark.index :]}"


def parse_root(file: Path, text: str) -> yaml.MappingNode:
    """Parse the root mapping of a stack's file; an empty file is an empty mapping.

    Raises:
        ConfigError: the text is not YAML, or not a mapping.
    """
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


def parse_values(file: Path, text: str) -> dict[str, object]:
    """Parse a stack's file into plain values.

    Raises:
        ConfigError: the text is not YAML, not a mapping, or has a key twice.
    """
    problems: list[Problem] = []
    value = ValueReader(file.name, problems).value(parse_root(file, text), "", 1)
    if problems:
        raise ConfigError(problems)
    assert isinstance(value, dict)
    return value


def _value(node: yaml.Node) -> object:
    return ValueReader("", []).value(node, "", 1)


def _to_json(value: Written) -> object:
    return value if isinstance(value, int) else list(value)


def _text(value: Written) -> str:
    return str(value) if isinstance(value, int) else f"[{', '.join(map(str, value))}]"


def line_break(text: str) -> str:
    """Return the line break that a text uses."""
    return "\r\n" if "\r\n" in text else "\n"


def end_line(text: str) -> str:
    """End a text with a line break, unless it is empty or has one."""
    return text if not text or text.endswith("\n") else text + line_break(text)


def refuse_edit(file: Path, values: Mapping[str, Written]) -> ConfigError:
    """Make the error for keys that cannot be edited safely."""
    keys = " and ".join(f"`{key}`" for key in values)
    message = f"{keys} cannot be set without changing something else"
    remedy = "Write the key on its own line, without an anchor or an alias."
    return ConfigError([Problem(file.name, message, remedy)])


def replace_file(file: Path, text: str) -> None:
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
