"""Migrations are applied to a database over HTTP, whose SQL runs in SQLite."""

import pytest

from flowflare.api import connect
from flowflare.errors import MigrationError
from flowflare.migrations.apply import migrate
from flowflare.migrations.files import Migration, make_migration
from flowflare.migrations.ledger import RemoteDatabase, read_ledger, rewrite
from flowflare.migrations.plan import Applied
from tests.unit.fake_api import ACCOUNT, DATABASE, TOKEN, FakeApi

FIRST = make_migration("0001_create.sql", "CREATE TABLE t (a);\n-- the end")
SECOND = make_migration("0002_fill.sql", "INSERT INTO t VALUES (1);\nINSERT INTO t VALUES (2)")
BROKEN = make_migration(
    "0003_broken.sql", "INSERT INTO t VALUES (3);\nINSERT INTO missing VALUES (4);"
)


@pytest.fixture
def database(api: FakeApi) -> RemoteDatabase:
    return RemoteDatabase(connect(api.base_url, TOKEN), ACCOUNT, DATABASE)


def rows(*files: Migration) -> tuple[Applied, ...]:
    return tuple(Applied(file.name, file.checksum) for file in files)


def values(database: RemoteDatabase) -> list[int]:
    return [row["a"] for row in database.query("SELECT a FROM t ORDER BY a;")]


def test_each_file_is_applied_once_in_one_call(api: FakeApi, database: RemoteDatabase) -> None:
    assert migrate(database, [FIRST, SECOND]) == rows(FIRST, SECOND)
    assert len(api.sql) == 3
    assert migrate(database, [FIRST, SECOND]) == rows(FIRST, SECOND)
    assert len(api.sql) == 4
    assert values(database) == [1, 2]
    assert read_ledger(database) == rows(FIRST, SECOND)


def test_wrangler_can_read_the_ledger(database: RemoteDatabase) -> None:
    migrate(database, [FIRST])
    [row] = database.query("SELECT id, name, applied_at FROM d1_migrations;")
    assert (row["id"], row["name"]) == (1, "0001_create.sql")


def test_each_file_has_its_own_bookmark(api: FakeApi, database: RemoteDatabase) -> None:
    migrate(database, [FIRST, SECOND])
    marks = [row.bookmark for row in read_ledger(database)]
    assert None not in marks
    assert len(set(marks)) == 2


def test_failing_sql_leaves_the_database_unchanged(database: RemoteDatabase) -> None:
    migrate(database, [FIRST, SECOND])
    with pytest.raises(MigrationError) as caught:
        migrate(database, [FIRST, SECOND, BROKEN])
    assert caught.value.message == (
        "0003_broken.sql: the SQL failed: no such table: missing: SQLITE_ERROR [code: 7500]\n"
        "  line 2: INSERT INTO missing VALUES (4);"
    )
    assert values(database) == [1, 2]
    assert read_ledger(database) == rows(FIRST, SECOND)


def test_files_before_a_failing_file_stay_applied_and_the_next_run_continues(
    database: RemoteDatabase,
) -> None:
    with pytest.raises(MigrationError):
        migrate(database, [FIRST, SECOND, BROKEN])
    repaired = make_migration(BROKEN.name, "INSERT INTO t VALUES (3);")
    assert migrate(database, [FIRST, SECOND, repaired]) == rows(FIRST, SECOND, repaired)
    assert values(database) == [1, 2, 3]


def test_a_lost_response_is_not_treated_as_a_failure(
    api: FakeApi, database: RemoteDatabase
) -> None:
    migrate(database, [])
    api.lose_answer_of = "/query"
    migrate(database, [FIRST])
    api.lose_answer_of = "/query"
    assert migrate(database, [FIRST]) == rows(FIRST)


def test_files_that_wrangler_applied_are_recorded_and_not_applied_again(
    database: RemoteDatabase,
) -> None:
    migrate(database, [])
    database.query(FIRST.sql.split(";")[0] + ";")
    database.query("INSERT INTO d1_migrations (name) VALUES ('0001_create.sql');")
    assert migrate(database, [FIRST, SECOND]) == rows(FIRST, SECOND)
    assert read_ledger(database) == rows(FIRST, SECOND)


def test_a_database_without_a_ledger_is_read_without_writing(
    api: FakeApi, database: RemoteDatabase
) -> None:
    assert read_ledger(database) == ()
    assert [sql for sql in api.sql if "CREATE" in sql] == []


def test_a_ledger_that_only_wrangler_wrote_is_read(database: RemoteDatabase) -> None:
    database.query(
        "CREATE TABLE d1_migrations (id INTEGER PRIMARY KEY, name TEXT, applied_at TEXT);\n"
        "INSERT INTO d1_migrations (name, applied_at) VALUES ('0001_create.sql', 'then');"
    )
    [row] = read_ledger(database)
    assert (row.name, row.checksum, row.applied_at) == ("0001_create.sql", None, "then")


def test_a_file_with_only_comments_is_recorded(database: RemoteDatabase) -> None:
    comment = make_migration("0002_nothing.sql", "-- Migration number: 0002\n")
    assert migrate(database, [FIRST, comment]) == rows(FIRST, comment)


def test_the_ledger_is_rewritten_in_order_of_the_files(database: RemoteDatabase) -> None:
    migrate(database, [FIRST])
    [kept] = read_ledger(database)
    rewrite(database, [kept], [FIRST, SECOND])
    assert read_ledger(database) == rows(FIRST, SECOND)
    assert read_ledger(database)[0].bookmark == kept.bookmark


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        ("ALTER TABLE t ADD COLUMN b;\nALTER TABLE t ADD COLUMN b;", 2),
        ("SELECT a FROM t;\nCREATE TABLE u (b);\nSELECT a FROM u;", 3),
        ("CREATE TABLE u (b);\nDROP TABLE u;\nDROP TABLE u;", 3),
        ("INSERT INTO t VALUES (1);\nINSERT INTO t VALUES (1, 2);", 2),
    ],
)
def test_the_refused_statement_is_found(database: RemoteDatabase, sql: str, line: int) -> None:
    with pytest.raises(MigrationError) as caught:
        migrate(database, [FIRST, make_migration("0002_wrong.sql", sql)])
    assert f"\n  line {line}: {sql.splitlines()[line - 1]}" in caught.value.message
