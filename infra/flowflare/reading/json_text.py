"""Read JSON from other programs: limited in depth, and without what only Python accepts.

Python's parser and everything that walks its result recurse, so 100,000 brackets end any of them.
It also accepts NaN and Infinity, and reads `1e999` as infinite; Go, JavaScript and RFC 8259 know
none of these.
"""

import json
import math
from typing import Any, Final

#: How deep lists and objects may be nested. Pulumi's states and Cloudflare's answers stay below 30.
MOST_LEVELS: Final = 100
# A longer whole number does not fit into the floating-point numbers that states are made of.
_MOST_DIGITS: Final = 308


class JsonError(ValueError):
    """A string that is not JSON, or more deeply nested than anything is meant to be.

    The message never quotes the text: secrets may be in it.
    """


def parse_json(text: str | bytes, *, levels: int = MOST_LEVELS) -> Any:
    r"""Parse JSON.

    Half of a surrogate pair (`\ud800`) becomes a question mark: no output could hold it.

    Args:
        text: the JSON; bytes are UTF-8.
        levels: how deep lists and objects may be nested.

    Raises:
        JsonError: it is not JSON, is nested too deeply, or has a number too large for JSON's
            readers.
    """
    try:
        value = json.loads(
            text, parse_constant=_refuse, parse_float=_parse_float, parse_int=_parse_int
        )
        if _may_have_surrogates(text):
            value = json.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
    except UnicodeDecodeError:
        raise JsonError("it is not UTF-8 text") from None
    except RecursionError:
        raise _too_deep(levels) from None
    except JsonError:
        raise
    except ValueError as error:
        raise JsonError(f"it is not valid JSON: {error}") from None
    if _is_deeper(value, levels):
        raise _too_deep(levels)
    return value


def _may_have_surrogates(text: str | bytes) -> bool:
    """Whether a string may have a surrogate's escape. A state may be large, so it is not copied."""
    if isinstance(text, bytes):
        return b"\\ud" in text or b"\\uD" in text
    return "\\ud" in text or "\\uD" in text


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether lists and objects are nested deeper, found level by level."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(levels):
        if not level:
            return False
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return bool(level)


def _too_deep(levels: int) -> JsonError:
    return JsonError(f"its lists and objects are nested more than {levels} levels deep")


def _refuse(constant: str) -> float:
    raise JsonError(f"{constant} is not a JSON number")


def _parse_float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise JsonError("a number in it is larger than JSON's readers accept")
    return value


def _parse_int(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise JsonError("a number in it is larger than JSON's readers accept")
    return int(text)
