"""Read and write the JSON of RFC 8259, on which Python, SQLite, Node and workerd agree.

Python's own module reads `NaN`, `1e999` and lone surrogates, and writes numbers that other readers
refuse. Such a value would break every later reader of the row or line that contains it.
"""

import json
import math
from collections.abc import Iterator
from typing import Any, NoReturn

DEEPEST = 100
"""Nesting levels. SQLite accepts 1,000, pydantic 255, Python's writer what its stack allows."""
_SHORT = 300
"""Digits of an integer that fits in a double without a check: the largest double has 309."""


class NotJsonError(ValueError):
    """Say why a string is not JSON, or why a value cannot be written as JSON."""


def parse_json(text: bytes | str) -> Any:
    """Read a JSON text.

    Raises:
        NotJsonError: the text is not JSON or not UTF-8, is nested deeper than `DEEPEST`, or
            contains
            a number beyond a double's range or a lone surrogate. The message never quotes the text.
    """
    try:
        decoded = text.decode() if isinstance(text, bytes) else text
        value = json.loads(
            decoded, parse_constant=_refuse, parse_float=_parse_float, parse_int=_parse_int
        )
    except NotJsonError:
        raise
    except (ValueError, RecursionError):
        raise NotJsonError("its syntax is wrong") from None
    _check(value)
    return value


def write_json(value: object) -> str:
    """Write a value as one line of JSON.

    Raises:
        NotJsonError: JSON cannot hold the value, such as an infinite number or a custom object.
    """
    try:
        return json.dumps(value, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        raise NotJsonError("it cannot be written as JSON") from None


def _check(value: object) -> None:
    """Check the value level by level, because recursion would fail on deeply nested values."""
    level, depth = [value], 0
    while level:
        if depth > DEEPEST:
            raise NotJsonError(f"it is nested deeper than {DEEPEST} levels")
        for part in level:
            if isinstance(part, str):
                _check_text(part)
        level = [child for part in level for child in _parts(part)]
        depth += 1


def _parts(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for key in value:
            _check_text(key)
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NotJsonError("it contains a lone surrogate") from None


def _refuse(_: str) -> NoReturn:
    raise NotJsonError("it contains a number that JSON does not have")


def _parse_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotJsonError("it contains a number beyond a double's range")
    return number


def _parse_int(text: str) -> int:
    if len(text) > _SHORT:
        _parse_float(text)
    return int(text)
