"""Choose the cases of a wide matrix that `make test` runs; the others are for `make test-all`."""

from collections.abc import Iterable
from typing import Any

import pytest


def keep_every(nth: int, cases: Iterable[Any]) -> list[Any]:
    """Mark all cases but every n-th one `long`, beginning with the first.

    Args:
        nth: 4 keeps the first, the fifth, the ninth and so on in `make test`.
        cases: what `pytest.mark.parametrize` takes for one name, or a tuple each for several.

    Returns:
        The same cases in their order, as `pytest.mark.parametrize` takes them.
    """
    return [
        case if number % nth == 0 else pytest.param(*_values(case), marks=pytest.mark.long)
        for number, case in enumerate(cases)
    ]


def _values(case: Any) -> tuple[Any, ...]:
    return case if isinstance(case, tuple) else (case,)
