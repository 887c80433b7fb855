"""Decides how a property's value is told: a small one flat, in rows; any other line by line."""

import json
from typing import Any, Final

from flowflare.values.show import below

#: More characters in one row, and more rows of one value, are compared line by line instead.
WIDEST: Final = 120
_MOST_ROWS: Final = 8


def is_small(value: Any) -> bool:
    """Whether a value can be told in rows; `value` is made of JSON values."""
    rows = leaves("", value)
    return len(rows) <= _MOST_ROWS and all(
        len(json.dumps(one, ensure_ascii=False)) <= WIDEST
        for one in rows.values()
        if isinstance(one, list | dict)
    )


def leaves(path: str, value: Any) -> dict[str, Any]:
    """A value by the paths at which it ends: mappings are walked, a list is one value.

    Args:
        path: where the value stands, `observability`.
        value: JSON values.

    Returns:
        `observability.enabled` to false and so on; nothing for what is empty or null.
    """
    if isinstance(value, dict):
        return {
            where: leaf
            for key, item in value.items()
            for where, leaf in leaves(below(path, key), item).items()
        }
    return {} if value is None or value == [] else {path: value}
