"""Match names of files by wrangler's `migrations_pattern`, a glob of minimatch.

Source: `getD1MigrationFiles` of cloudflare/workers-sdk, which matches paths below the folder with
`dot: false`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from flowflare.errors import MigrationError

_UNSUPPORTED: Final = re.compile(r"[@!+?*]\(|^[!#]|\\")
_BRACES: Final = re.compile(r"\{([^{}]*)\}")
_PARTS: Final = re.compile(r"\[(!|\^)?([^\]/]+)\]|\*+|\?|[^*?\[]+|\[")


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a pattern for paths below the folder.

    Args:
        pattern: `*`, `?`, `[a-z]`, `{a,b}`, and `**` for any number of folders.

    Raises:
        MigrationError: the pattern uses another feature of minimatch.
    """
    if _UNSUPPORTED.search(pattern):
        message = f"{pattern!r} is not a pattern that Flowflare reads"
        raise MigrationError(message, remedy="Use only *, **, ?, [a-z] and {a,b}.")
    # `**` at the end stands for all files below.
    patterns = [
        f"{each}/*" if each.split("/")[-1] == "**" else each for each in _expand_braces(pattern)
    ]
    texts = ["/".join(map(_translate, each.split("/"))) for each in patterns]
    # `**` as a whole part stands for any number of folders.
    return re.compile("|".join(text.replace(f"{_FOLDERS}/", f"(?:{_FOLDERS}/)*") for text in texts))


def list_matching(folder: Path, pattern: re.Pattern[str]) -> Iterator[str]:
    """List the files below a folder that match, as paths relative to it. Links are not followed."""
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        name = path.relative_to(folder).as_posix()
        if pattern.fullmatch(name):
            yield name


_FOLDERS: Final = r"(?!\.)[^/]+"


def _expand_braces(pattern: str) -> list[str]:
    """Write out the alternatives in braces. Braces with a single text stand for themselves."""
    for braces in _BRACES.finditer(pattern):
        words = braces.group(1).split(",")
        if len(words) > 1:
            start, end = pattern[: braces.start()], pattern[braces.end() :]
            return [text for word in words for text in _expand_braces(start + word + end)]
    return [pattern]


def _translate(part: str) -> str:
    """Translate one part of a path. Like minimatch, a `*` or `?` at its start matches no dot."""
    if part == "**":
        return _FOLDERS
    found = "(?!\\.)" if part[:1] in ("*", "?", "[") else ""
    for match in _PARTS.finditer(part):
        text = match.group()
        if match.group(2):
            letters = re.escape(match.group(2)).replace(r"\-", "-")
            found += f"[{'^' if match.group(1) else ''}{letters}]"
        elif text[0] == "*":
            found += "[^/]*"
        elif text == "?":
            found += "[^/]"
        else:
            found += re.escape(text)
    return found
