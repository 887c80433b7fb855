"""Read a report that a pull request's own job made, and do not trust its content."""

from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from flowflare.errors import CommentError
from flowflare.reading.files import UnusableFileError, read_bytes
from flowflare.reading.json_text import JsonError, parse_json
from flowflare.review.report import FORMAT, Report

#: The largest report that is read, in bytes.
MOST_BYTES: Final = 32 * 1024 * 1024
#: The maximum nesting of lists and mappings.
MOST_DEEP: Final = 64
#: The largest number: JSON readers disagree on larger numbers, and floats cannot add them exactly.
MOST: Final = 2**53
_REMEDY: Final = "Create it again: flowflare diff BASE HEAD --output report.json"


def read_report(path: Path) -> Report:
    """Read the report in a file.

    Args:
        path: the file. Links are not followed, because an artifact may contain a link to any file.

    Raises:
        CommentError: it is not a report in a format that this release knows.
        OSError: the file does not exist.
    """
    text = _read_bytes(path)
    try:
        value = parse_json(text, levels=MOST_DEEP)
    except JsonError as error:
        raise _make_invalid(path, str(error)) from None
    if not isinstance(value, dict) or "format" not in value:
        raise _make_invalid(path, "it is not a report of `flowflare diff`")
    if type(value["format"]) is not int or value["format"] != FORMAT:
        found = str(value["format"])[:20]
        raise _make_invalid(path, f"its format is {found!r}, but this release reads {FORMAT}")
    if _has_larger(value, MOST):
        raise _make_invalid(path, f"it contains a number larger than {MOST:,}")
    try:
        return Report.model_validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))[:80]
        raise _make_invalid(path, f"{place}: {first['msg']}"[:200]) from None


def _read_bytes(path: Path) -> bytes:
    try:
        return read_bytes(path, most=MOST_BYTES, follow_links=False)
    except UnusableFileError as error:
        raise _make_invalid(path, f"it {error.strerror}") from None
    except OSError as error:
        if path.is_symlink():
            raise _make_invalid(path, "it is a symbolic link") from error
        raise


def _has_larger(value: Any, most: int) -> bool:
    """Return whether any number is larger, or infinite as `1e999`."""
    if isinstance(value, dict | list):
        inside = value.values() if isinstance(value, dict) else value
        return any(_has_larger(inner, most) for inner in inside)
    return isinstance(value, int | float) and not -most <= value <= most


def _make_invalid(path: Path, why: str, detail: str = "") -> CommentError:
    said = "".join(char if char.isprintable() else "?" for char in f"{why} {detail[:100]}".strip())
    return CommentError(f"{path} cannot be shown: {said}", remedy=_REMEDY)
