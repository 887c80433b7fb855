"""Model a file that is uploaded beside a Worker's main module."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CodeModule:
    """A module that the main module imports, or its source map.

    Attributes:
        name: the name by which it is imported.
        content_type: its media type, such as `application/wasm`.
    """

    name: str
    content_type: str
    base64: str
