"""Reads a report that a pull request's own job made, and trusts nothing in it."""

from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from flowflare.errors import CommentError
from flowflare.reading.files import UnusableFileError, read_bytes
from flowflare.reading.json_text import JsonError, parse_json
from flowflare.review.report import FORMAT, Report

#: The largest report that is read, in bytes.
MOST_BYTES: Final = 32 * 1024 * 1024
#: How deep lists and mappings may stand in each other.
MOST_DEEP: Final = 64
#: The largest number: beyond it JSON's readers do not agree, and sums could not be told in floats.
MOST: Final = 2**53
_REMEDY: Final = "Make it anew: flowflare diff BASE HEAD --output report.json"


def read_report(path: Path) -> Report:
    """The report in a file.

    Args:
        path: the file; links are not followed, since an artifact may hold one to anywhere.

    Raises:
        CommentError: it is no report of a form that this release knows.
        OSError: there is no such file.
    """
    text = _bytes(path)
    try:
        value = parse_json(text, levels=MOST_DEEP)
    except JsonError as error:
        raise _invalid(path, str(error)) from None
    if not isinstance(value, dict) or "format" not in value:
        raise _invalid(path, "it is no report of `flowflare diff`")
    if type(value["format"]) is not int or value["format"] != FORMAT:
        found = str(value["format"])[:20]
        raise _invalid(path, f"its format is {found!r}, this release reads {FORMAT}")
    if _larger(value, MOST):
        raise _invalid(path, f"a number in it is larger than {MOST:,}")
    try:
        return Report.model_validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))[:80]
        raise _invalid(path, f"{place}: {first['msg']}"[:200]) from None


def _bytes(path: Path) -> bytes:
    try:
        return read_bytes(path, most=MOST_BYTES, follow_links=False)
    except UnusableFileError as error:
        raise _invalid(path, f"it {error.strerror}") from None
    except OSError as error:
        if path.is_symlink():
            raise _invalid(path, "it is a link") from error
        raise


def _larger(value: Any, most: int) -> bool:
    """Whether any number is larger, or infinite as `1e999` is."""
    if isinstance(value, dict | list):
        inside = value.values() if isinstance(value, dict) else value
        return any(_larger(inner, most) for inner in inside)
    return isinstance(value, int | float) and not -most <= value <= most


def _invalid(path: Path, why: str, detail: str = "") -> CommentError:
    said = "".join(one if one.isprintable() else "?" for one in f"{why} {detail[:100]}".strip())
    return CommentError(f"{path} cannot be shown: {said}", remedy=_REMEDY)
