"""Make characters visible that would have an effect: controls, bidi marks, invisible characters."""

import re
import unicodedata
from typing import Final

# Controls and formats (with bidi), lone surrogates, private and unassigned characters, separators.
_ACTING: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
_MARKS: Final = frozenset({"Mn", "Me"})
# Languages need at most this many marks on a letter; more would be drawn over other lines.
_MOST_MARKS: Final = 3
_PLAIN: Final = re.compile(r"[ -~]*")
_DELETE: Final = 0x7F
# The control pictures begin at U+2400 (NUL), in the order of the controls.
_PICTURES: Final = 0x2400
_PICTURE_OF_DELETE: Final = "\u2421"


def make_visible(text: str, *, keep: str = "") -> str:
    """Make every character of a string visible.

    Args:
        text: any text, lone surrogates included.
        keep: characters to keep as they are, such as a tab in code.

    Returns:
        The text on one line, unless `keep` contains the line feed. A control becomes its control
        picture (U+2400 and up), other characters become `<U+202E>` in mathematical angle brackets.
    """
    if _PLAIN.fullmatch(text):
        return text
    shown, marks = [], 0
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category in _MARKS else 0
        if char in keep or char == " ":
            shown.append(char)
        elif category in _ACTING or marks > _MOST_MARKS:
            shown.append(_draw(char))
        else:
            shown.append(char)
    return "".join(shown)


def _draw(char: str) -> str:
    code = ord(char)
    if code < ord(" "):
        return chr(_PICTURES + code)
    return _PICTURE_OF_DELETE if code == _DELETE else f"\u27e8U+{code:04X}\u27e9"


def shorten(text: str, most: int) -> str:
    """Cut a string to a maximum length, and append the number of characters that were cut."""
    more = len(text) - most
    return text if more <= 0 else f"{text[:most]}... ({more:,} more characters)"
