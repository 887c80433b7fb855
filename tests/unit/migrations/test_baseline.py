"""What a database has against what its files make."""

import sqlite3

import pytest

from flowflare.errors import MigrationError
from flowflare.migrations.baseline import differences, files_with_data, matching, normal
from flowflare.migrations.files import migration
from flowflare.migrations.schema import OBJECTS

FILES = (
    migration(
        "0001_create.sql",
        "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT DEFAULT 'A b'); -- first\n"
        "CREATE INDEX items_name ON items (name);",
    ),
    migration("0002_rename.sql", "ALTER TABLE items RENAME COLUMN name TO title;"),
    migration("0003_fill.sql", "INSERT INTO items (title) VALUES ('x');"),
    migration("0004_view.sql", "CREATE VIEW titles AS SELECT title FROM items;"),
)


def objects(*sql: str) -> dict[tuple[str, str], str]:
    database = sqlite3.connect(":memory:")
    for one in sql:
        database.executescript(one)
    rows = database.execute(OBJECTS).fetchall()
    database.close()
    return {(kind, name): text for kind, name, _, text in rows if text}


def test_a_database_made_of_the_same_files_has_no_difference() -> None:
    ledger = "CREATE TABLE d1_migrations (id, name UNIQUE);CREATE TABLE _cf_KV (a);"
    assert differences(objects(ledger, *(file.sql for file in FILES)), FILES) == ()


def test_spaces_comments_case_and_quotes_do_not_count() -> None:
    by_hand = (
        "create table [items](Id integer PRIMARY KEY, /* the */ \"title\" text default 'A b');\n"
        "create index `items_name` on items(title);"
    )
    assert differences(objects(by_hand), FILES[:2]) == ()


def test_texts_and_definitions_count() -> None:
    by_hand = (
        "CREATE TABLE items (id INTEGER PRIMARY KEY, title TEXT DEFAULT 'a b');"
        "CREATE TABLE other (id);"
    )
    found = differences(objects(by_hand), FILES[:2])
    assert [(one.kind, one.type, one.name) for one in found] == [
        ("missing", "index", "items_name"),
        ("different", "table", "items"),
        ("extra", "table", "other"),
    ]


def test_the_last_file_that_fits_is_named() -> None:
    last = matching(objects(FILES[0].sql, FILES[1].sql), FILES)
    assert last == FILES[2]  # which only moves rows
    assert matching(objects("CREATE TABLE other (id);"), FILES) is None


def test_files_that_write_rows_are_named() -> None:
    assert files_with_data(FILES) == ["0003_fill.sql"]


def test_files_that_sqlite_refuses_make_nothing_to_compare() -> None:
    broken = migration("0001_broken.sql", "SELECT 1;\nCREATE TABLE t (a, a);")
    with pytest.raises(MigrationError, match=r"0001_broken\.sql:2: SQLite refuses this here"):
        differences({}, [broken])


def test_a_quoted_word_is_a_name() -> None:
    assert normal("\"A\" [b c] `d` 'E'") == ("a", "b c", "d", "'E'")
