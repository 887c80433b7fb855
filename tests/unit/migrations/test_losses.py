"""Which points a database can be restored to, and what a restore undoes."""

import pytest

from flowflare.api import connect
from flowflare.errors import MigrationError
from flowflare.migrations.ledger import RemoteDatabase
from flowflare.migrations.losses import (
    count_rows,
    describe_bookmark,
    describe_time,
    find_before_file,
)
from flowflare.migrations.plan import Applied
from flowflare.migrations.status import list_status
from tests.unit.fake_api import ACCOUNT, DATABASE, TOKEN, FakeApi

ROWS = (
    Applied("0001_a.sql", "1", "2026-11-23 10:00:00", "00-a"),
    Applied("0002_b.sql", None, "2026-11-23 11:00:00", None),
    Applied("0003_c.sql", "3", "2026-11-23 12:00:00", "00-c"),
)


@pytest.mark.parametrize("file", ["0003_c.sql", "0003"])
def test_a_file_stands_for_the_point_before_it(file: str) -> None:
    to = find_before_file(ROWS, file)
    assert (to.bookmark, to.undone, to.since) == ("00-c", ("0003_c.sql",), "2026-11-23 12:00:00")


def test_a_file_that_wrangler_applied_can_be_restored_by_its_time() -> None:
    with pytest.raises(MigrationError) as caught:
        find_before_file(ROWS, "0002")
    assert str(caught.value) == (
        "0002_b.sql: has no bookmark, because wrangler or a baseline recorded it\n"
        "  Restore to a time: flowflare migrations restore --timestamp 2026-11-23T11:00:00Z"
    )


def test_a_file_that_was_not_applied_is_refused() -> None:
    with pytest.raises(MigrationError, match=r"0004: was not applied"):
        find_before_file(ROWS, "0004")
    with pytest.raises(MigrationError, match=r"was not applied"):
        find_before_file(ROWS[:1], "")


def test_a_bookmark_undoes_the_files_applied_after_it() -> None:
    assert describe_bookmark(ROWS, "00-b").undone == ("0003_c.sql",)
    assert describe_bookmark(ROWS, "00-a").undone == tuple(row.name for row in ROWS)


def test_a_time_in_any_zone_undoes_the_files_applied_after_it() -> None:
    to = describe_time(ROWS, "2026-11-23T12:30:00+02:00", "00-x")
    assert (to.words, to.bookmark) == ("2026-11-23 10:30:00 UTC", "00-x")
    assert to.undone == ("0002_b.sql", "0003_c.sql")


def test_rows_are_counted_for_each_table(api: FakeApi) -> None:
    database = RemoteDatabase(connect(api.base_url, TOKEN), ACCOUNT, DATABASE)
    for number in range(60):
        database.query(f'CREATE TABLE "t {number}" (a);')
    database.query('INSERT INTO "t 59" VALUES (1), (2);')
    counts = count_rows(database)
    assert len(counts) == 60
    assert counts["t 59"] == 2


def test_a_file_that_is_only_in_the_ledger_is_listed_too() -> None:
    shown = list_status((), ROWS[:2])
    assert [(file.name, file.state, file.by) for file in shown] == [
        ("0001_a.sql", "deleted", "flowflare"),
        ("0002_b.sql", "deleted", "wrangler"),
    ]


def test_a_number_of_two_files_does_not_stand_for_a_point() -> None:
    twins = (*ROWS, Applied("0003_d.sql", "4", "2026-11-23 13:00:00", "00-d"))
    with pytest.raises(MigrationError) as caught:
        find_before_file(twins, "0003")
    assert str(caught.value) == (
        "0003: is the number of several files\n  Give the whole name: 0003_c.sql or 0003_d.sql."
    )
