"""Decide whether a Worker's imports of Node's built-in modules are resolved as wrangler does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# Dates of workers-sdk (packages/workers-utils/src/compatibility-date.ts).
_NODE_BY_DEFAULT: Final = "2026-08-04"
_WITHOUT_PREFIX: Final = "2024-09-23"


@dataclass(frozen=True, order=True)
class Compatibility:
    """What selects a Worker's Node modules.

    Attributes:
        date: the compatibility date, such as 2026-11-01.
    """

    date: str
    flags: tuple[str, ...] = ()


def read_node_compat(date: str, flags: Sequence[str]) -> Compatibility | None:
    """Return the compatibility of a Worker that imports `crypto` like `node:crypto`.

    Returns:
        None if workerd gives the Worker Node's modules only under the `node:` prefix, or not at
        all.
    """
    is_default = date >= _NODE_BY_DEFAULT
    is_on = "nodejs_compat" in flags or (is_default and "no_nodejs_compat" not in flags)
    without_prefix = "nodejs_compat_v2" in flags or (
        "no_nodejs_compat_v2" not in flags and (is_default or (is_on and date >= _WITHOUT_PREFIX))
    )
    return Compatibility(date, tuple(flags)) if without_prefix else None
