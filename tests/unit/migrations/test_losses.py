"""Where a database can go back to, and what that undoes."""

import pytest

from flowflare.api import connect
from flowflare.errors import MigrationError
from flowflare.migrations.ledger import Database
from flowflare.migrations.losses import at_bookmark, at_time, before_file, count_rows
from flowflare.migrations.plan import Applied
from flowflare.migrations.status import status
from tests.unit.fake_api import ACCOUNT, DATABASE, TOKEN, FakeApi

ROWS = (
    Applied("0001_a.sql", "1", "2026-11-23 10:00:00", "00-a"),
    Applied("0002_b.sql", None, "2026-11-23 11:00:00", None),
    Applied("0003_c.sql", "3", "2026-11-23 12:00:00", "00-c"),
)


@pytest.mark.parametrize("file", ["0003_c.sql", "0003"])
def test_a_file_leads_to_the_moment_before_it(file: str) -> None:
    to = before_file(ROWS, file)
    assert (to.bookmark, to.undone, to.since) == ("00-c", ("0003_c.sql",), "2026-11-23 12:00:00")


def test_a_file_of_wranglers_has_a_time_to_go_back_to() -> None:
    with pytest.raises(MigrationError) as caught:
        before_file(ROWS, "0002")
    assert str(caught.value) == (
        "0002_b.sql: no bookmark was kept: wrangler or a baseline noted it\n"
        "  Go back to a time: flowflare migrations restore --timestamp 2026-11-23T11:00:00Z"
    )


def test_a_file_that_was_not_applied_leads_nowhere() -> None:
    with pytest.raises(MigrationError, match=r"0004: was not applied"):
        before_file(ROWS, "0004")


def test_a_bookmark_undoes_what_was_applied_after_it() -> None:
    assert at_bookmark(ROWS, "00-b").undone == ("0003_c.sql",)
    assert at_bookmark(ROWS, "00-a").undone == tuple(row.name for row in ROWS)


def test_a_time_of_any_zone_undoes_what_was_applied_after_it() -> None:
    to = at_time(ROWS, "2026-11-23T12:30:00+02:00", "00-x")
    assert (to.words, to.bookmark) == ("2026-11-23 10:30:00 UTC", "00-x")
    assert to.undone == ("0002_b.sql", "0003_c.sql")


def test_rows_are_counted_table_by_table(api: FakeApi) -> None:
    database = Database(connect(api.base_url, TOKEN), ACCOUNT, DATABASE)
    for number in range(60):
        database.query(f'CREATE TABLE "t {number}" (a);')
    database.query('INSERT INTO "t 59" VALUES (1), (2);')
    counts = count_rows(database)
    assert len(counts) == 60
    assert counts["t 59"] == 2


def test_a_file_that_is_only_in_the_ledger_is_shown_too() -> None:
    shown = status((), ROWS[:2])
    assert [(one.name, one.state, one.by) for one in shown] == [
        ("0001_a.sql", "deleted", "flowflare"),
        ("0002_b.sql", "deleted", "wrangler"),
    ]
