"""Puts foreign text into Markdown so that it is read as text and acts as nothing.

A code span and a fenced block hold any text, and neither GitHub nor GitLab looks for mentions,
references or links in them. Escapes by backslash or entity do not do: both services look for
mentions in what has been rendered, where an escaped `@` is an `@` again. So whatever is not a plain
word stands in code.
"""

import html
import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from flowflare.review.visible import shortened, visible

_TICKS: Final = re.compile(r"`+")
# No digits beside letters: `GH-12` is a reference, and `1.` may be something too; so may a word of
# which each letter is a digit of a hash.
_WORD: Final = re.compile(
    r"(?!.*\b[A-Fa-f]{7,}\b)\(?(?:[A-Za-z]+(?:['-][A-Za-z]+)*'?|D1(?:[A-Z][a-z]+)?|\d{1,6})[,.;:!?)]{0,2}"
)
_FIRST: Final = re.compile(r"[A-Za-z].*")
_LONGEST_LINE: Final = 400
_LONGEST_NAME: Final = 200


def span(text: str, *, most: int = _LONGEST_NAME) -> str:
    """A code span of any text; the pipe, which ends a table's cell even there, as `<U+007C>`."""
    shown = shortened(visible(text), most).replace("|", "\u27e8U+007C\u27e9")
    if not shown.strip(" "):
        return f'`"{shown}"`'
    ticks = "`" * (max((len(run) for run in _TICKS.findall(shown)), default=0) + 1)
    padded = f" {shown} " if shown[0] in "` " or shown[-1] in "` " else shown
    return f"{ticks}{padded}{ticks}"


def code(text: str, *, most: int = _LONGEST_NAME) -> str:
    """A `<code>` element for the inside of a block of HTML, such as a summary, on one line."""
    return f"<code>{html.escape(shortened(visible(text), most))}</code>"


def prose(text: str) -> str:
    """A sentence: plain words stay, all else of it stands in code spans.

    Code that the sentence marks itself keeps its extent; words within it are code too. There is
    always something: an item without text could make a heading of the line before it.
    """
    parts = []
    for number, part in enumerate(shortened(text, 2 * _LONGEST_LINE).split("`")):
        if number % 2:
            parts.append(span(part) if part else "")
        else:
            parts.append(_words(part, first=not any(parts)))
    # A closing mark belongs to the code before it; two spans that touch would be one.
    said = " ".join(part for part in parts if part)
    return re.sub(r"` ([,.;:!?]) ?(?=[A-Za-z(]|$)", r"`\1 ", said).strip() or span(text)


def _words(text: str, *, first: bool) -> str:
    tokens = text.split()
    plain = [
        _WORD.fullmatch(token) is not None or token in {",", ".", ";", ":"} for token in tokens
    ]
    if first and tokens:
        # What begins a line could begin a list or a heading; a word of letters cannot.
        plain[0] = plain[0] and _FIRST.fullmatch(tokens[0]) is not None
    pairs = groupby(zip(plain, tokens, strict=True), key=lambda pair: pair[0])
    said = []
    for is_plain, group in pairs:
        words = [token for _, token in group]
        said.append(" ".join(words) if is_plain else span(" ".join(words)))
    return " ".join(said)


def fence(lines: Iterable[str], language: str) -> list[str]:
    """A fenced block: no line in it is a fence that could close it.

    Args:
        lines: the lines, whatever they hold.
        language: for highlighting, a word of ours.
    """
    shown: Sequence[str] = [
        shortened(visible(part, keep="\t"), _LONGEST_LINE)
        for line in lines
        for part in (line.split("\n") if "\n" in line else (line,))
    ]
    longest = max((len(run) for line in shown for run in _TICKS.findall(line)), default=0)
    ticks = "`" * max(3, longest + 1)
    return [f"{ticks}{language}", *shown, ticks]
