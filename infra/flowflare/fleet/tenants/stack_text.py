"""Parse and format a stack's file; equal values always give equal bytes.

The layout is the Pulumi CLI's. The CLI edits single keys of the file in place and keeps its
comments, so what it adds later (`config set --secret`, an `encryptionsalt`) fits in.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import yaml

from flowflare.config.problems import mapping
from flowflare.config.yaml_nodes import ValueReader, YamlText
from flowflare.errors import Problem

#: The first line of a file that the fleet writes; a file without it is not the fleet's.
MARK: Final = "# Written by `flowflare fleet config` from tenants.yaml: change it there."
_KEPT: Final = "# Secrets, encryptionsalt and secretsprovider are Pulumi's: they are kept."
_CONFIG: Final = "config"
#: Pulumi's keys whose values are ciphertexts or contain one.
_SEALED: Final = frozenset({"secure", "encryptionsalt", "encryptedkey"})

#: Strings that every version of YAML reads as strings without quotes.
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.+/@=-]*(:[A-Za-z0-9_.+/@=-]+)*")
#: Words that some version of YAML reads as a boolean, a number or null.
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_UNPRINTABLE: Final = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


def stack_text(
    config: Mapping[str, Any], kept: Mapping[str, Any], *, head: Sequence[str] = (MARK, _KEPT)
) -> str:
    """Format a stack's file.

    Args:
        config: full key to JSON value, in the order of the file.
        kept: other keys of the file, for example `encryptionsalt`.
        head: the comments at the beginning.
    """
    lines = [*head, *_mapping(kept, "")]
    lines += [f"{_CONFIG}:", *_mapping(config, "  ")]
    return "\n".join(lines) + "\n"


def read_keys(written: YamlText, problems: list[Problem]) -> dict[str, Any]:
    """Read a stack's file as it is written: `config` and the other keys; empty if it is unusable.

    Args:
        problems: gains the file's problems.
    """
    node = written.parse(problems)
    if node is not None and not isinstance(node, yaml.MappingNode):
        problems.append(Problem(f"{written.name}:1", "has no keys; `config:` is expected"))
        node = None
    return mapping(ValueReader(written.name, problems).value(node, "", 1)) if node else {}


def hide_ciphertexts(text: str) -> str:
    """Replace each ciphertext and encryption key in a stack's file with `[secret]`.

    Args:
        text: the file's content. A file that is not YAML is hidden as a whole.
    """
    problems: list[Problem] = []
    root = YamlText("", text).parse(problems)
    if problems:
        return "[secret]\n"
    shown = text
    for start, end in reversed(_outermost(_sealed_spans(root))):
        sealed = text[start:end]
        after = sealed[len(sealed.rstrip()) :]  # a block's span ends where the next key begins
        shown = f"{shown[:start]}[secret]{after}{shown[end:]}"
    return shown


def _sealed_spans(node: yaml.Node | None) -> set[tuple[int, int]]:
    """List the spans of the values to hide, of any type: a damaged value may be a list."""
    if isinstance(node, yaml.SequenceNode):
        return {span for item in node.value for span in _sealed_spans(item)}
    if not isinstance(node, yaml.MappingNode):
        return set()
    spans = set()
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode) and key.value in _SEALED:
            spans.add((value.start_mark.index, value.end_mark.index))
        else:
            spans |= _sealed_spans(key) | _sealed_spans(value)
    return spans


def _outermost(spans: set[tuple[int, int]]) -> list[tuple[int, int]]:
    """List the spans in order, without spans inside another.

    The target of a YAML alias may be inside a hidden value.
    """
    outermost: list[tuple[int, int]] = []
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not outermost or end > outermost[-1][1]:
            outermost.append((start, end))
    return outermost


def _mapping(values: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, value in values.items():
        yield from _entry(f"{indent}{_scalar(key)}:", value, indent + "  ")


def _entry(head: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        yield head
        yield from _mapping(value, indent)
    elif isinstance(value, list) and value:
        yield head
        for item in value:
            yield from _item(item, indent)
    else:
        yield f"{head} {_scalar(value)}"


def _item(value: Any, indent: str) -> Iterator[str]:
    """Format one item of a list; the first key of a mapping follows the hyphen."""
    if isinstance(value, (Mapping, list)) and value:
        inner = _mapping(value, "") if isinstance(value, Mapping) else _items(value)
        first, *rest = inner
        yield f"{indent}- {first}"
        yield from (f"{indent}  {line}" for line in rest)
    else:
        yield f"{indent}- {_scalar(value)}"


def _items(values: list[Any]) -> Iterator[str]:
    for value in values:
        yield from _item(value, "")


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
            return value
        quoted = json.dumps(value, ensure_ascii=False)
        return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", quoted)
    text = json.dumps(value)
    # YAML 1.1 reads a number with an exponent as a number only if it has a decimal point.
    return text.replace("e", ".0e") if isinstance(value, float) and "." not in text else text
