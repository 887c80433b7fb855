"""Route patterns: hostname and path with wildcards, read as Cloudflare's documentation has them.

`*` stands at the beginning of the hostname or at the end of the path; a pattern without a path is
the root alone; of several that match the one that says most wins.
"""

import re
from dataclasses import dataclass

_PATTERN = re.compile(r"(?:https?://)?(?P<host>\*?[a-z0-9.-]*[a-z0-9])(?P<path>/[^*]*\*?)?", re.I)


@dataclass(frozen=True)
class Pattern:
    """A pattern that was read.

    Attributes:
        host: the hostname, perhaps with `*` in front.
        path: the path, perhaps with `*` at its end.
    """

    host: str
    path: str

    @property
    def hostname(self) -> str:
        """The hostname without its wildcard."""
        return self.host.lstrip("*").lstrip(".")

    @property
    def weight(self) -> tuple[int, int]:
        """How much the pattern says; a larger one is more specific."""
        return len(self.host.lstrip("*")), len(self.path.rstrip("*"))

    def matches(self, host: str, path: str) -> bool:
        """Whether a request is the pattern's.

        Args:
            host: the hostname, without a port.
            path: the path with its query.
        """
        return _like(self.host.lower(), host.lower()) and _like(self.path, path)


def read_pattern(text: str) -> Pattern | None:
    """The pattern that a text is, None where it is none."""
    found = _PATTERN.fullmatch(text)
    return Pattern(found["host"], found["path"] or "/") if found else None


def _like(pattern: str, text: str) -> bool:
    if pattern.startswith("*"):
        return text.endswith(pattern[1:])
    if pattern.endswith("*"):
        return text.startswith(pattern[:-1])
    return pattern == text
