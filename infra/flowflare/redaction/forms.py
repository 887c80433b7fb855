"""How a secret can look in a text that quotes it."""

import base64
import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, quote_plus

#: A shorter secret is hidden only where it stands as a word of its own, since it may be a part of
#: any other word; one below the second number is not hidden at all, as in the Pulumi CLI.
SHORT: Final = 8
SHORTEST: Final = 3
# Words of every message that say nothing about the secret which happens to be equal.
_PLAIN_WORDS: Final = frozenset({"true", "false", "null", "none"})
_BOUNDARY: Final = re.compile(r"-----(BEGIN|END) [A-Z0-9 ]+-----")
_PERCENT: Final = re.compile(r"%[0-9A-F]{2}")


@dataclass(frozen=True)
class Forms:
    """The texts that stand for one secret.

    Attributes:
        anywhere: those that are hidden wherever they stand.
        words: those that are hidden as words of their own.
        lines: those that are hidden as lines of their own: short lines of a longer secret.
    """

    anywhere: frozenset[str]
    words: frozenset[str]
    lines: frozenset[str]


def forms_of(secret: str) -> Forms:
    """Find the texts that stand for a secret.

    Args:
        secret: its value; of several lines, each counts too.
    """
    whole = {secret, secret.strip(), secret.replace("\r\n", "\n"), secret.replace("\n", "\r\n")}
    if len(secret.strip()) < SHORTEST or secret.strip().lower() in _PLAIN_WORDS:
        return Forms(frozenset(), frozenset(), frozenset())
    pieces = [line.strip() for line in secret.splitlines()] if "\n" in secret.strip() else []
    pieces = [piece for piece in pieces if not _BOUNDARY.fullmatch(piece)]
    long = [*whole, *(piece for piece in pieces if len(piece) >= SHORT)]
    found = {form for text in long for form in _encoded(text) if form}
    # Where the secret begins is another place in base64 for each length of what is before it.
    found |= {form for text in whole for form in _base64(text) if len(form) >= SHORT}
    return Forms(
        anywhere=frozenset(form for form in found if len(form) >= SHORT),
        words=frozenset(form for form in found if SHORTEST <= len(form) < SHORT),
        lines=frozenset(piece for piece in pieces if SHORTEST <= len(piece) < SHORT),
    )


def _encoded(text: str) -> Iterator[str]:
    """The text as it is, and as programs escape it."""
    yield text
    for ascii_only in (True, False):
        escaped = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield escaped
        yield json.dumps(escaped, ensure_ascii=ascii_only)[1:-1]
        # Go and some libraries for JavaScript escape these too.
        angled = escaped.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
        yield angled
        yield angled.replace("+", "\\u002b")
        yield escaped.replace("/", "\\/")
    yield repr(text)[1:-1]
    yield ascii(text)[1:-1]
    for url in (quote(text, safe=""), quote(text), quote(text, safe="!'()*~"), quote_plus(text)):
        yield url
        yield _PERCENT.sub(lambda match: match[0].lower(), url)
    yield html.escape(text)
    yield html.escape(text, quote=False)
    data = text.encode(errors="surrogateescape")
    yield data.hex()
    yield data.hex().upper()
    yield base64.b64encode(data).decode()
    yield base64.urlsafe_b64encode(data).decode()


def _base64(text: str) -> Iterator[str]:
    """What base64 of a longer text that holds the secret has in it, whatever is around."""
    data = text.encode(errors="surrogateescape")
    for before in range(3):
        padded = base64.b64encode(bytes(before) + data)
        first = (0, 2, 3)[before]  # characters that what is before has a part in
        last = len(padded) if (before + len(data)) % 3 == 0 else len(padded.rstrip(b"=")) - 1
        inner = padded[first:last].decode()
        yield inner
        yield inner.replace("+", "-").replace("/", "_")
