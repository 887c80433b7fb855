"""A database's definitions are compared with those that its files create."""

import sqlite3

import pytest

from flowflare.errors import MigrationError
from flowflare.migrations.baseline import (
    compare_objects,
    find_match,
    list_files_with_data,
    normalise,
)
from flowflare.migrations.files import make_migration
from flowflare.migrations.schema import OBJECTS

FILES = (
    make_migration(
        "0001_create.sql",
        "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT DEFAULT 'A b'); -- first\n"
        "CREATE INDEX items_name ON items (name);",
    ),
    make_migration("0002_rename.sql", "ALTER TABLE items RENAME COLUMN name TO title;"),
    make_migration("0003_fill.sql", "INSERT INTO items (title) VALUES ('x');"),
    make_migration("0004_view.sql", "CREATE VIEW titles AS SELECT title FROM items;"),
)


def objects(*sql: str) -> dict[tuple[str, str], str]:
    database = sqlite3.connect(":memory:")
    for statement in sql:
        database.executescript(statement)
    rows = database.execute(OBJECTS).fetchall()
    database.close()
    return {(kind, name): text for kind, name, _, text in rows if text}


def test_a_database_made_from_the_same_files_has_no_difference() -> None:
    ledger = "CREATE TABLE d1_migrations (id, name UNIQUE);CREATE TABLE _cf_KV (a);"
    assert compare_objects(objects(ledger, *(file.sql for file in FILES)), FILES) == ()


def test_spaces_comments_case_and_quotes_are_ignored() -> None:
    by_hand = (
        "create table [items](Id integer PRIMARY KEY, /* the */ \"title\" text default 'A b');\n"
        "create index `items_name` on items(title);"
    )
    assert compare_objects(objects(by_hand), FILES[:2]) == ()


def test_texts_and_definitions_are_compared() -> None:
    by_hand = (
        "CREATE TABLE items (id INTEGER PRIMARY KEY, title TEXT DEFAULT 'a b');"
        "CREATE TABLE other (id);"
    )
    found = compare_objects(objects(by_hand), FILES[:2])
    assert [(difference.kind, difference.type, difference.name) for difference in found] == [
        ("missing", "index", "items_name"),
        ("different", "table", "items"),
        ("extra", "table", "other"),
    ]


def test_the_last_matching_file_is_found() -> None:
    last = find_match(objects(FILES[0].sql, FILES[1].sql), FILES)
    assert last == FILES[2]  # which only changes rows
    assert find_match(objects("CREATE TABLE other (id);"), FILES) is None


def test_files_that_write_rows_are_listed() -> None:
    assert list_files_with_data(FILES) == ["0003_fill.sql"]


def test_files_that_sqlite_refuses_cannot_be_compared() -> None:
    broken = make_migration("0001_broken.sql", "SELECT 1;\nCREATE TABLE t (a, a);")
    with pytest.raises(MigrationError, match=r"0001_broken\.sql:2: SQLite refuses this here"):
        compare_objects({}, [broken])


def test_a_quoted_word_is_treated_as_a_name() -> None:
    assert normalise("\"A\" [b c] `d` 'E'") == ("a", "b c", "d", "'E'")
