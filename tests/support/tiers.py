"""Choose the cases of a wide matrix that `make test` runs; the others are for `make test-all`."""

from collections.abc import Iterable
from typing import Any

import pytest


def keep_every(nth: int, cases: Iterable[Any]) -> list[Any]:
    """Mark every case `long` except the first of each group of `nth` cases.

    Args:
        nth: 4 keeps the first, the fifth, the ninth and so on in `make test`.
        cases: as `pytest.mark.parametrize` takes them: a value, or a tuple for several names.

    Returns:
        The same cases in their order, as `pytest.mark.parametrize` takes them.
    """
    return [
        case if number % nth == 0 else pytest.param(*_values(case), marks=pytest.mark.long)
        for number, case in enumerate(cases)
    ]


def _values(case: Any) -> tuple[Any, ...]:
    return case if isinstance(case, tuple) else (case,)
