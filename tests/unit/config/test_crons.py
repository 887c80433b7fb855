"""Which cron expressions are accepted."""

import pytest
from pydantic import TypeAdapter, ValidationError

from flowflare.kinds.workers_cron_trigger.settings import Crons

CRONS: TypeAdapter[list[str]] = TypeAdapter(Crons)


@pytest.mark.parametrize(
    "cron",
    [
        "* * * * *",
        "*/10 * * * *",
        "5,35 0-6/2,23 1,15 JAN,MAR-MAY MON-FRI",
        "0 0 L * *",
        "0 0 LW * *",
        "0 0 15W * *",
        "0 0 * * 2#1",
        "0 0 * * friL",
        "59 23 31 12 7",
    ],
)
def test_an_expression_by_cloudflares_rules_is_accepted(cron: str) -> None:
    assert CRONS.validate_python([cron]) == [cron]


@pytest.mark.parametrize(
    "cron",
    [
        "* * * *",
        "* * * * * *",
        "@daily",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 13 *",
        "* * * * 0",
        "* * * * 8",
        "*/0 * * * *",
        "*/60 * * * *",
        "5-1 * * * *",
        "1-2-3 * * * *",
        "1, * * * *",
        "٣ * * * *",
        "* * 32W * *",
        "* * * * 2#6",
        "* L * * *",
    ],
)
def test_any_other_expression_is_refused(cron: str) -> None:
    with pytest.raises(ValidationError, match=r"fields instead of 5|in which"):
        CRONS.validate_python([cron])


def test_an_expression_that_is_given_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match="has '0 3 \\* \\* \\*' twice"):
        CRONS.validate_python(["0 3 * * *", "0  3 * * *"])
