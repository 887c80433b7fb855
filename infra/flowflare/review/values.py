"""Decide how a property's value is shown: small values as rows, others line by line."""

import json
from typing import Any, Final

from flowflare.values.show import below

#: A value with a longer row or with more rows than this is compared line by line instead.
WIDEST: Final = 120
_MOST_ROWS: Final = 8
#: Shown for a text whose digest is not the same in all stacks.
TEXT: Final = "[text]"


def is_small(value: Any) -> bool:
    """Return whether a JSON value is small enough for rows."""
    rows = list_leaves("", value)
    return len(rows) <= _MOST_ROWS and all(
        len(json.dumps(row, ensure_ascii=False)) <= WIDEST
        for row in rows.values()
        if isinstance(row, list | dict)
    )


def list_leaves(path: str, value: Any) -> dict[str, Any]:
    """Flatten a value to its leaves by path: mappings are walked, a list is one value.

    Args:
        path: the path of the value, such as `observability`.
        value: JSON values.

    Returns:
        `observability.enabled` to false and so on; nothing for what is empty or null.
    """
    if isinstance(value, dict):
        return {
            where: leaf
            for key, item in value.items()
            for where, leaf in list_leaves(below(path, key), item).items()
        }
    return {} if value is None or value == [] else {path: value}
