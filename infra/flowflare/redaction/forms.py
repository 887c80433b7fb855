"""List the strings in which a secret can appear."""

import base64
import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, quote_plus

#: A secret of at least this many characters is replaced anywhere in a text. A shorter secret is
#: probably part of other words, so it is replaced only as a separate word.
LONG: Final = 6
#: Shorter secrets are not replaced at all. The Pulumi CLI has the same limit (`CreateFilter` in
#: sdk/go/common/util/logging/log.go).
SHORTEST: Final = 3
# JSON's literals and Python's None are too common in messages to reveal a secret.
_LITERALS: Final = frozenset({"true", "false", "null", "none"})
_PEM_BOUNDARY: Final = re.compile(r"-----(BEGIN|END) [A-Z0-9 ]+-----")
_ESCAPE: Final = re.compile(r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")
_PERCENT: Final = re.compile(r"%[0-9A-F]{2}")


@dataclass(frozen=True)
class Forms:
    """The strings that represent one secret.

    Attributes:
        anywhere: replaced wherever they appear.
        words: replaced if no letter, digit or underscore is next to them.
    """

    anywhere: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()


def list_forms(secret: str) -> Forms:
    """List the strings that represent a secret.

    Args:
        secret: its value. Each long line of it also counts, because logs print line by line.
    """
    text = secret.strip()
    if len(text) < SHORTEST or text.lower() in _LITERALS:
        return Forms()
    if len(text) < LONG:
        return Forms(words=frozenset({text}))
    lines = [line.strip() for line in text.splitlines()]
    wholes = {text, text.replace("\r\n", "\n"), text.replace("\n", "\r\n")}
    wholes |= {line for line in lines if len(line) >= LONG and not _PEM_BOUNDARY.fullmatch(line)}
    return Forms(frozenset(form for whole in wholes for form in _list_encoded(whole)))


def _list_encoded(text: str) -> Iterator[str]:
    yield text
    for escaped in (
        repr(text),
        ascii(text),
        json.dumps(text),
        json.dumps(text, ensure_ascii=False),
    ):
        inner = escaped[1:-1]
        yield inner
        yield json.dumps(inner, ensure_ascii=False)[1:-1]  # JSON inside JSON
        # Go's encoding/json escapes these, and so does the Pulumi CLI.
        yield inner.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
        # PyYAML writes the hexadecimal digits of an escape in upper case.
        yield _ESCAPE.sub(lambda match: match[0][:2] + match[0][2:].upper(), inner)
    yield html.escape(text)
    yield html.escape(text, quote=False)
    data = text.encode(errors="surrogatepass")
    yield repr(data)[2:-1]
    for url in (quote(data, safe=""), quote(data), quote(data, safe="!'()*~"), quote_plus(data)):
        yield url
        yield _PERCENT.sub(lambda match: match[0].lower(), url)
    yield data.hex()
    yield data.hex().upper()
    whole = base64.b64encode(data).decode()
    for encoded in (whole, *_split_base64(whole), *_list_inside_base64(data)):
        if len(encoded) >= LONG:
            yield encoded
            yield encoded.replace("+", "-").replace("/", "_")


def _split_base64(encoded: str) -> Iterator[str]:
    """Split base64 into lines as MIME (76 columns, also `base64` and Python) and PEM (64) do."""
    for columns in (76, 64):
        yield from (encoded[at : at + columns] for at in range(0, len(encoded), columns))


def _list_inside_base64(data: bytes) -> Iterator[str]:
    """List what base64 of any longer text with the data has in common, by its offset modulo 3."""
    for offset, first in ((0, 0), (1, 2), (2, 3)):
        encoded = base64.b64encode(bytes(offset) + data).decode()
        # The first characters, and the last before padding, also depend on the surrounding bytes.
        yield encoded[first : (offset + len(data)) * 8 // 6]
