"""Read a list of Cloudflare's API page by page."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

PAGE: Final = 100
# No list of an account has more pages; this limit stops an API that repeats a full page.
_MOST_PAGES: Final = 999


def read_pages(
    get: Callable[[Mapping[str, str]], Sequence[dict[str, Any]] | None], size: int = PAGE
) -> Iterator[dict[str, Any]]:
    """Read the rows of a list, one page at a time when its rows are needed.

    Args:
        get: reads the page of a query; None is an empty page.
        size: the highest number of rows of a page.
    """
    for page in range(1, _MOST_PAGES + 1):
        rows = get({"page": str(page), "per_page": str(size)}) or ()
        yield from rows
        if len(rows) < size:
            return
