"""Reads and writes JSON as RFC 8259 defines it: what Python, SQLite, Node and workerd agree on.

Python's own module reads `NaN`, `1e999` and lone surrogates, and writes numbers that no other
reader takes. A value that got in that way would break every later reader of the row or line that
holds it.
"""

import json
import math
from collections.abc import Iterator
from typing import Any, NoReturn

DEEPEST = 100
"""Levels of nesting. SQLite takes 1,000, Python's writer what its stack has left, pydantic 255."""
_SHORT = 300
"""Digits of an integer that a double holds without looking: the largest has 309."""


class NotJsonError(ValueError):
    """A text that is not JSON, or a value that cannot be written as JSON; the message is why."""


def parse_json(text: bytes | str) -> Any:
    """Read a JSON text.

    Raises:
        NotJsonError: the text is not JSON, not UTF-8, nested deeper than `DEEPEST`, or holds a
            number beyond a double's range or a lone surrogate. The message quotes nothing of it.
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
        NotJsonError: the value is not JSON: an infinite number, or an object of another kind.
    """
    try:
        return json.dumps(value, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        raise NotJsonError("it cannot be written as JSON") from None


def _check(value: object) -> None:
    """Walk level by level: recursion would end where the nesting is the trouble."""
    level, depth = [value], 0
    while level:
        if depth > DEEPEST:
            raise NotJsonError(f"it is nested deeper than {DEEPEST} levels")
        for each in level:
            if isinstance(each, str):
                _check_text(each)
        level = [part for each in level for part in _parts(each)]
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
        raise NotJsonError("it holds a lone surrogate") from None


def _refuse(_: str) -> NoReturn:
    raise NotJsonError("it holds a number that JSON does not have")


def _parse_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotJsonError("it holds a number beyond a double's range")
    return number


def _parse_int(text: str) -> int:
    if len(text) > _SHORT:
        _parse_float(text)
    return int(text)
