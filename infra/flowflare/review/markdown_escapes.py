"""Escape text from outside for Markdown, so that it is displayed and never interpreted.

A code span or a fenced block can hold any text, and neither GitHub nor GitLab looks for mentions,
references or links in them. Escapes by backslash or entity are not enough: both services look for
mentions in the rendered text, where an escaped `@` is an `@` again. So everything that is not a
plain word is put into code.
"""

import html
import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from flowflare.review.visible import make_visible, shorten

_TICKS: Final = re.compile(r"`+")
# No digits next to letters: `GH-12` is a reference, and `1.` may start a list. A word of hex digits
# only may be a commit hash.
_WORD: Final = re.compile(
    r"(?!.*\b[A-Fa-f]{7,}\b)\(?(?:[A-Za-z]+(?:['-][A-Za-z]+)*'?|D1(?:[A-Z][a-z]+)?|\d{1,6})[,.;:!?)]{0,2}"
)
_PUNCTUATION: Final = ",.;:!?"
_FIRST: Final = re.compile(r"[A-Za-z].*")
_LONGEST_LINE: Final = 400
_LONGEST_NAME: Final = 200


def span(text: str, *, most: int = _LONGEST_NAME) -> str:
    """Write a code span of any text. A pipe, which ends a table cell, is written `<U+007C>`."""
    shown = shorten(make_visible(text), most).replace("|", "\u27e8U+007C\u27e9")
    if not shown.strip(" "):
        return f'`"{shown}"`'
    ticks = "`" * (max((len(run) for run in _TICKS.findall(shown)), default=0) + 1)
    padded = f" {shown} " if shown[0] in "` " or shown[-1] in "` " else shown
    return f"{ticks}{padded}{ticks}"


def code(text: str, *, most: int = _LONGEST_NAME) -> str:
    """Write a one-line `<code>` element for use inside an HTML block, such as a summary."""
    return f"<code>{html.escape(shorten(make_visible(text), most))}</code>"


def prose(text: str) -> str:
    """Write a sentence: plain words stay as they are, everything else becomes a code span.

    Code that the sentence marks itself keeps its extent; words within it are code too. The result
    is never empty, because an empty list item would turn the previous line into a heading.
    """
    said = ""
    for number, part in enumerate(shorten(text, 2 * _LONGEST_LINE).split("`")):
        shown = span(part) if number % 2 and part else _words(part, first=not said)
        # A punctuation mark follows the code directly. Two adjacent spans would merge.
        is_apart = said and shown and shown[0] not in _PUNCTUATION
        said += f" {shown}" if is_apart else shown
    return said or span(text)


def _words(text: str, *, first: bool) -> str:
    tokens = text.split()
    plain = [
        _WORD.fullmatch(token) is not None or token in {",", ".", ";", ":"} for token in tokens
    ]
    if first and tokens:
        # The start of a line could start a list or a heading; a word of letters cannot.
        plain[0] = plain[0] and _FIRST.fullmatch(tokens[0]) is not None
    pairs = groupby(zip(plain, tokens, strict=True), key=lambda pair: pair[0])
    said = []
    for is_plain, group in pairs:
        words = [token for _, token in group]
        said.append(" ".join(words) if is_plain else span(" ".join(words)))
    return " ".join(said)


def fence(lines: Iterable[str], language: str) -> list[str]:
    """Write a fenced block that no line in it can close.

    Args:
        lines: the lines, with any content.
        language: the language for highlighting, chosen by this package.
    """
    shown: Sequence[str] = [
        shorten(make_visible(part, keep="\t"), _LONGEST_LINE)
        for line in lines
        for part in (line.split("\n") if "\n" in line else (line,))
    ]
    longest = max((len(run) for line in shown for run in _TICKS.findall(line)), default=0)
    ticks = "`" * max(3, longest + 1)
    return [f"{ticks}{language}", *shown, ticks]
