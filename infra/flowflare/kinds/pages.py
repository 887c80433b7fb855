"""Reads a list of Cloudflare's API page by page."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

PAGE: Final = 100
# No list of an account has as many pages; an API that repeats a full page ends here.
_MOST_PAGES: Final = 999


def read_pages(
    get: Callable[[Mapping[str, str]], Sequence[dict[str, Any]] | None], size: int = PAGE
) -> Iterator[dict[str, Any]]:
    """Read the rows of a list; a page is asked for when the rows before it are used.

    Args:
        get: asks for the page of a query; None is an empty page.
        size: how many rows a page has at most.
    """
    for page in range(1, _MOST_PAGES + 1):
        rows = get({"page": str(page), "per_page": str(size)}) or ()
        yield from rows
        if len(rows) < size:
            return
