"""Decide which files of a folder are not uploaded as static assets.

The patterns of `.assetsignore` are those of `.gitignore`, read as wrangler reads them: with npm's
package `ignore`, which does not distinguish upper and lower case.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

#: The files that wrangler does not upload unless a pattern with `!` names them.
_OWN: Final = ("/.assetsignore", "/_redirects", "/_headers")
_TOKEN: Final = re.compile(
    r"(?P<folders>(?:^|(?<=/))\*\*/)|(?P<segment>(?:^|(?<=/))\*+$)|(?P<stars>\*+)"
    r"|\\(?P<escaped>.)|\[(?P<set>[^\]/]*)\]|(?P<character>.)"
)
_WORDS: Final = {"folders": "(?:.*/)?", "segment": "[^/]+", "stars": "[^/]*"}


def compile_ignored(text: str) -> Callable[[str], bool]:
    """Return whether a file is ignored, by its path below the folder.

    Args:
        text: the content of `.assetsignore`; empty if there is none.
    """
    lines = [*_OWN, *map(_strip_end, text.removeprefix("\ufeff").split("\n"))]
    rules = [
        (_compile(line.removeprefix("!")), not line.startswith("!"))
        for line in lines
        if line.strip("!") and not line.startswith("#")
    ]

    def matches(path: str) -> bool:
        """Apply the last pattern that matches."""
        return next((ignores for rule, ignores in reversed(rules) if rule.fullmatch(path)), False)

    def is_ignored(name: str) -> bool:
        # No pattern brings back a file below an ignored folder.
        ends = [index + 1 for index, character in enumerate(name) if character == "/"]
        return any(matches(name[:end]) for end in (*ends, len(name)))

    return is_ignored


def _strip_end(line: str) -> str:
    """Remove spaces at the end; a backslash keeps one."""
    return re.sub(r"(\\?)\s+\Z", lambda end: f"{end[1]} " if end[1] else "", line)


def _compile(pattern: str) -> re.Pattern[str]:
    """Compile a pattern for paths, in which a folder ends with a slash."""
    is_anchored = "/" in pattern[:-1]
    body = pattern.removeprefix("/")
    end = "" if pattern.endswith("/") else "/?"
    start = "" if is_anchored else "(?:.*/)?"
    found = start + "".join(map(_translate, _TOKEN.finditer(body))) + end
    return re.compile(found, re.IGNORECASE | re.DOTALL)


def _translate(token: re.Match[str]) -> str:
    kind = str(token.lastgroup)
    if kind == "set":
        return _translate_set(re.findall(r".-.|.", token["set"]))
    if token["character"] == "?":
        return "[^/]"
    if token["character"] == "[":
        return "(?!)"  # not closed: matches nothing
    return _WORDS.get(kind) or re.escape(token[kind])


def _translate_set(members: Sequence[str]) -> str:
    """Translate a set of characters; `ignore` takes `!` and `^` as characters of the set."""
    found = "".join(
        "-".join(map(re.escape, (item[0], item[-1]))) if len(item) > 1 else re.escape(item)
        for item in members
        if item[0] <= item[-1]
    )
    return f"[{found}]" if found else "(?!)"
