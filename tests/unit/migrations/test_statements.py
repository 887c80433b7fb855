"""The statement that an error is about is found in the file."""

import sqlite3

import pytest

from flowflare import library
from flowflare.migrations.files import read_migrations
from flowflare.migrations.statements import Statement, find_failing_statement, split_statements

FILE = """\
-- Orders; and their lines.
CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT DEFAULT 'a;b');
/* a trigger; */ CREATE TRIGGER noted AFTER INSERT ON orders BEGIN
  UPDATE orders SET note = 'new' WHERE id = new.id;
END;

INSERT INTO orders (id) VALUES (1), (2)
"""


def test_a_file_is_split_where_statements_end() -> None:
    assert [
        (statement.line, statement.text.split(" ")[1]) for statement in split_statements(FILE)
    ] == [
        (2, "TABLE"),
        (3, "TRIGGER"),
        (7, "INTO"),
    ]
    assert split_statements("\n-- nothing\n") == []


def test_the_tracking_schema_is_split_into_valid_statements() -> None:
    database = sqlite3.connect(":memory:")
    for migration in read_migrations(library.folder("migrations")):
        for statement in split_statements(migration.sql):
            database.execute(statement.text)
    database.close()


@pytest.mark.parametrize(
    ("added", "line"),
    [
        ("INSERT INTO lines (id) VALUES (1);", 9),
        ("UPDATE orders SET nothing = 1;", 9),
        ("INSERT INTO orders (nothing) VALUES (1);", 9),
        ("CREATE TABEL lines (id);", 9),
        ("SELECT 1;\nCREATE INDEX i ON orders (id", 10),
        ("CREATE TABLE orders (id);", None),
        ("SELECT abs();", None),
    ],
)
def test_sqlites_message_leads_to_the_statement(added: str, line: int | None) -> None:
    sql = f"{FILE.rstrip()};\n\n{added}\n"
    database = sqlite3.connect(":memory:")
    with pytest.raises(sqlite3.Error) as caught:
        database.executescript(f"{sql};")
    database.close()
    found = find_failing_statement(sql, f"{caught.value}: SQLITE_ERROR [code: 7500]")
    assert (found.line if found else None) == line


def test_an_existing_name_leads_to_the_only_statement_that_creates_it() -> None:
    reason = "table orders already exists: SQLITE_ERROR [code: 7500]"
    assert [
        statement.line for statement in [find_failing_statement(FILE, reason)] if statement
    ] == [2]


def test_a_failed_constraint_leads_to_the_only_statement_that_writes_the_table() -> None:
    sql = "CREATE TABLE t (a UNIQUE);\nINSERT INTO t VALUES (1), (1);"
    reason = "UNIQUE constraint failed: t.a: SQLITE_CONSTRAINT [code: 7500]"
    assert find_failing_statement(sql, reason) == Statement("INSERT INTO t VALUES (1), (1);", 2)
    assert find_failing_statement(f"{sql}\nINSERT INTO t VALUES (2);", reason) is None
