"""Read route patterns: hostname and path with wildcards, as Cloudflare's documentation defines.

`*` is allowed at the start of the hostname or at the end of the path. A pattern without a path
matches only the root. If several patterns match, the most specific pattern wins.
"""

import re
from dataclasses import dataclass

_PATTERN = re.compile(r"(?:https?://)?(?P<host>\*?[a-z0-9.-]*[a-z0-9])(?P<path>/[^*]*\*?)?", re.I)


@dataclass(frozen=True)
class Pattern:
    """Hold a parsed pattern.

    Attributes:
        host: the hostname, possibly with a leading `*`.
        path: the path, possibly with a trailing `*`.
    """

    host: str
    path: str

    @property
    def hostname(self) -> str:
        """Return the hostname without its wildcard."""
        return self.host.lstrip("*").lstrip(".")

    @property
    def weight(self) -> tuple[int, int]:
        """Return how specific the pattern is; a larger value is more specific."""
        return len(self.host.lstrip("*")), len(self.path.rstrip("*"))

    def matches(self, host: str, path: str) -> bool:
        """Return whether the pattern matches a request.

        Args:
            host: the hostname, without a port.
            path: the path with its query.
        """
        return _matches(self.host.lower(), host.lower()) and _matches(self.path, path)


def read_pattern(text: str) -> Pattern | None:
    """Parse a pattern, or return None if the text is not a pattern."""
    match = _PATTERN.fullmatch(text)
    return Pattern(match["host"], match["path"] or "/") if match else None


def _matches(pattern: str, text: str) -> bool:
    if pattern.startswith("*"):
        return text.endswith(pattern[1:])
    if pattern.endswith("*"):
        return text.startswith(pattern[:-1])
    return pattern == text
