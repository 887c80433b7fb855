"""Write triggers in the form that D1's query endpoint accepts.

The endpoint splits the text itself. By public reports (workers-sdk issues 4727, 10998, 14991 and
15314) it recognises a trigger's body by an upper-case BEGIN, and ends it at the first END before
a semicolon or a space, so an expression `CASE ... END` ends the body unless a parenthesis follows.
"""

import re
from collections.abc import Sequence
from typing import Final

#: One token of SQL by its kind; a comment has none.
TOKEN: Final = re.compile(
    r"--[^\n]*|/\*.*?(?:\*/|\Z)|(?P<space>\s+)|(?P<text>'(?:[^']|'')*')"
    r"|\"(?P<quoted>(?:[^\"]|\"\")*)\"|`(?P<ticked>[^`]*)`|\[(?P<bracketed>[^\]]*)\]"
    r"|(?P<word>[\w$]+)|(?P<other>.)",
    re.DOTALL,
)
_TRIGGER: Final = re.compile(r"CREATE\s+(?:TEMP\s+|TEMPORARY\s+)?TRIGGER\b", re.IGNORECASE)
_OPERATORS: Final = frozenset("),+-*/%|&<>=!")


def write_statement(text: str) -> str:
    """Return a statement as it is sent: a trigger without comments, everything else unchanged.

    A trigger's BEGIN and END are in upper case, and a CASE expression in its body is in parentheses
    unless a parenthesis, a comma or an operator follows. Writing it again changes nothing.
    """
    if not _TRIGGER.match(text):
        return text
    tokens = [
        (" ", "space") if match.lastgroup is None else (match.group(), match.lastgroup)
        for match in TOKEN.finditer(text)
    ]
    words = [token.upper() if kind == "word" else token for token, kind in tokens]
    begin = _find_begin(words)
    ends = [at for at, word in enumerate(words) if word == "END" and at > (begin or 0)]
    # An END too many is an unquoted name. Which one it is, only SQLite's grammar knows.
    if begin is None or not ends or words[begin:].count("CASE") != len(ends) - 1:
        return text
    written = [token for token, _ in tokens]
    cases: list[int] = []
    for at in range(begin + 1, ends[-1]):
        if words[at] == "CASE":
            cases.append(at)
        elif words[at] == "END" and cases:
            _close_case(written, cases.pop(), at)
    written[begin] = _keep_apart(written, begin, "BEGIN")
    written[ends[-1]] = _keep_apart(written, ends[-1], "END")
    return "".join(written)


def _find_begin(words: Sequence[str]) -> int | None:
    """Find the BEGIN of the body: the first outside of parentheses."""
    depth = 0
    for at, word in enumerate(words):
        depth += {"(": 1, ")": -1}.get(word, 0)
        if word == "BEGIN" and not depth:
            return at
    return None


def _close_case(written: list[str], begin: int, end: int) -> None:
    """Write an expression so that what follows its END is neither a space nor a semicolon."""
    after = end + 1
    while written[after].isspace():
        after += 1
    if written[after] in _OPERATORS:
        written[end + 1 : after] = [""] * (after - end - 1)
    else:
        written[begin] = f"({written[begin]}"
        written[end] = f"{written[end]})"


def _keep_apart(written: Sequence[str], at: int, word: str) -> str:
    """Surround a word with spaces where they are missing, except after the last END."""
    before = "" if written[at - 1].isspace() else " "
    is_followed = at + 1 >= len(written) or written[at + 1].isspace() or word == "END"
    return f"{before}{word}{'' if is_followed else ' '}"
