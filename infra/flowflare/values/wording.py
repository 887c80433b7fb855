"""Write counts and shortened lists in sentences."""

from collections.abc import Sequence


def write_count(count: int, noun: str) -> str:
    """Write a count with its noun: `1 stack`, `1,200 stacks`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def list_some(names: Sequence[str], most: int) -> str:
    """List names, and shorten a long list: `a, b and 998 more`."""
    more = len(names) - most
    listed = ", ".join(names[:most])
    return f"{listed} and {more:,} more" if more > 0 else listed
