"""Read literals of JavaScript, and join them."""

from collections.abc import Sequence
from typing import Final

from tree_sitter import Node

from flowflare.replays.values import Record, Text, Unknown, Value, make_digest, read_text, sign


def make_array(items: Sequence[Value]) -> Record:
    """Make an array of values."""
    return Record({str(at): item for at, item in enumerate(items)}, is_array=True)


def make_unknown(*words: str) -> Unknown:
    """Make an unknown value, which words distinguish from other unknown values."""
    return Unknown(lambda: make_digest(*words))


def join_texts(parts: Sequence[Value]) -> Text | None:
    """Join literals to one; None if a part is not known."""
    texts = [part.text for part in parts if isinstance(part, Text)]
    return Text("".join(texts)) if len(texts) == len(parts) else None


def prefer(value: Value, default: Value) -> Value:
    """Return a parameter whose default is used if the argument is not known."""
    if not isinstance(value, Unknown):
        return value
    return Unknown(lambda: make_digest("default", sign(value), sign(default)))


def either(old: Value, new: Value) -> Value:
    """Return a value that is either of two values."""
    return Unknown(lambda: make_digest("either", sign(old), sign(new)))


def read_key(key: Node | None) -> str:
    """Return the name of a property: an identifier or a string."""
    return unquote(key) if key is not None and key.type == "string" else read_text(key)


def unquote(node: Node) -> str:
    """Return the content of a string literal."""
    return "".join(unescape(read_text(child)) for child in node.named_children)


_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}


def unescape(text: str) -> str:
    """Return the character of an escape sequence; other text is unchanged."""
    if not text.startswith("\\"):
        return text
    code = text[2:].strip("{}")
    if text[1:2] in ("x", "u") and code:
        return chr(min(int(code, 16), 0x10FFFF))
    return _ESCAPES.get(text[1:], text[1:])
