"""Makes characters visible that would act instead of being read: controls, bidi, invisible ones."""

import re
import unicodedata
from typing import Final

# Controls and formats (bidi among them), lone surrogates, private and unassigned ones, separators.
_ACTING: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
_MARKS: Final = frozenset({"Mn", "Me"})
# As many marks upon one letter as languages need; more are a tower over other lines.
_MOST_MARKS: Final = 3
_PLAIN: Final = re.compile(r"[ -~]*")
_DELETE: Final = 0x7F
# Where U+2400, the picture of NUL, and those of the controls after it begin.
_PICTURES: Final = 0x2400
_PICTURE_OF_DELETE: Final = "\u2421"


def visible(text: str, *, keep: str = "") -> str:
    """A text in which every character is one that is seen.

    Args:
        text: any text, lone surrogates included.
        keep: characters to keep as they are, such as a tab in code.

    Returns:
        The text on one line, unless `keep` holds the line feed. A control becomes its picture
        (U+2400 and on), anything else `<U+202E>` in mathematical angle brackets.
    """
    if _PLAIN.fullmatch(text):
        return text
    shown, marks = [], 0
    for one in text:
        category = unicodedata.category(one)
        marks = marks + 1 if category in _MARKS else 0
        if one in keep or one == " ":
            shown.append(one)
        elif category in _ACTING or marks > _MOST_MARKS:
            shown.append(_picture(one))
        else:
            shown.append(one)
    return "".join(shown)


def _picture(one: str) -> str:
    code = ord(one)
    if code < ord(" "):
        return chr(_PICTURES + code)
    return _PICTURE_OF_DELETE if code == _DELETE else f"\u27e8U+{code:04X}\u27e9"


def shortened(text: str, most: int) -> str:
    """A text of at most so many characters, with the number of those that are left out."""
    more = len(text) - most
    return text if more <= 0 else f"{text[:most]}... ({more:,} more characters)"
