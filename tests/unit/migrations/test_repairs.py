"""What was changed in a database by hand is named, with the SQL that undoes or adopts it."""

import sqlite3
from contextlib import closing

import pytest

from flowflare.migrations.baseline import SchemaDifference, compare_objects
from flowflare.migrations.files import make_migration
from flowflare.migrations.repairs import HandMade, describe_difference
from flowflare.migrations.schema import OBJECTS

FILE = make_migration(
    "0001_items.sql",
    "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, price REAL DEFAULT (1 + 2),\n"
    "  CHECK (price NOT IN (0, 1)));\nCREATE INDEX items_name ON items (name);\n",
)


def compare(*by_hand: str) -> list[HandMade]:
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(FILE.sql)
        for sql in by_hand:
            database.execute(sql)
        rows = database.execute(OBJECTS).fetchall()
    objects = {(kind, name): sql for kind, name, _, sql in rows if sql}
    return [
        part
        for difference in compare_objects(objects, [FILE])
        for part in describe_difference(difference)
    ]


BY_HAND = {
    "a column": (
        "ALTER TABLE items ADD COLUMN note TEXT DEFAULT 'a, b' /* mine */",
        'table["items"].column["note"]',
        'ALTER TABLE "items" DROP COLUMN "note";',
        "ALTER TABLE \"items\" ADD COLUMN note TEXT DEFAULT 'a, b';",
    ),
    "a table": (
        "CREATE TABLE backup (id)",
        'table["backup"]',
        'DROP TABLE "backup";',
        "CREATE TABLE IF NOT EXISTS backup (id);",
    ),
    "a unique index": (
        "CREATE UNIQUE INDEX once ON items (name)",
        'index["once"]',
        'DROP INDEX "once";',
        "CREATE UNIQUE INDEX IF NOT EXISTS once ON items (name);",
    ),
    "an index that is gone": (
        "DROP INDEX items_name",
        'index["items_name"]',
        "CREATE INDEX items_name ON items (name);",
        "",
    ),
}


@pytest.mark.parametrize(("sql", "path", "undo", "adopt"), BY_HAND.values(), ids=BY_HAND)
def test_a_change_by_hand_is_named_with_its_sql(sql: str, path: str, undo: str, adopt: str) -> None:
    [found] = compare(sql)
    assert (found.path, found.undo, found.adopt) == (path, undo, adopt)
    assert compare(sql, found.undo) == []
    if found.is_run_again:
        assert compare(sql, found.adopt) == [found]


def test_a_column_that_is_gone_is_added_by_the_sql() -> None:
    [dropped] = compare("DROP INDEX items_name", "ALTER TABLE items DROP COLUMN name")[1:]
    assert dropped.path == 'table["items"].column["name"]'
    assert dropped.undo == 'ALTER TABLE "items" ADD COLUMN name TEXT;'


def test_a_table_that_differs_in_more_than_its_columns_is_named_as_a_whole() -> None:
    other = SchemaDifference(
        "different", "table", "t", "CREATE TABLE t (a, b)", "CREATE TABLE t (a TEXT)"
    )
    [found] = describe_difference(other)
    assert (found.path, found.undo, found.adopt) == ('table["t"]', "", "")
