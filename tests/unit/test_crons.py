"""When a cron expression is due."""

from datetime import UTC, datetime

import pytest

from flowflare.crons import last_due

#: A Tuesday.
NOON = datetime(2026, 12, 1, 12, 0, 30, tzinfo=UTC)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "due"),
    [
        ("* * * * *", "2026-12-01 12:00"),
        ("*/10 * * * *", "2026-12-01 12:00"),
        ("7/10 * * * *", "2026-12-01 11:57"),
        ("59 23 * * *", "2026-11-30 23:59"),
        ("5,35 0-6/2 * * *", "2026-12-01 06:35"),
        ("0 0 1 JAN-MAR *", "2026-03-01 00:00"),
        # Days of the week count from 1, Sunday.
        ("0 0 * * 1", "2026-11-29 00:00"),
        ("0 0 * * mon-wed", "2026-12-01 00:00"),
        ("0 0 * * 7", "2026-11-28 00:00"),
        ("0 0 * * L", "2026-11-28 00:00"),
        ("0 0 * * FRIL", "2026-11-27 00:00"),
        ("0 0 * * 2#1", "2026-11-02 00:00"),
        ("0 0 L * *", "2026-11-30 00:00"),
        ("0 0 LW 10 *", "2026-10-30 00:00"),
        # The 15th was a Sunday; the nearest weekday is Monday.
        ("0 0 15W 11 *", "2026-11-16 00:00"),
        # The 1st was a Sunday as well.
        ("0 0 1W 11 *", "2026-11-02 00:00"),
        # Either of both days is enough.
        ("0 0 25 * 1", "2026-11-29 00:00"),
        ("0 0 30 2 *", None),
    ],
)
def test_the_last_time_at_which_an_expression_was_due(cron: str, due: str | None) -> None:
    found = last_due(cron, LONG_AGO, NOON)
    assert (found and f"{found:%Y-%m-%d %H:%M}") == due


def test_the_begin_of_the_time_does_not_count_and_its_end_does() -> None:
    minute = NOON.replace(second=0)
    assert last_due("* * * * *", minute, NOON) is None
    assert last_due("0 12 * * *", LONG_AGO, minute) == minute
