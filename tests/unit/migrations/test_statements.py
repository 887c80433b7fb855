"""The statement that a refusal is about, found in the file."""

import sqlite3

import pytest

from flowflare import library
from flowflare.migrations.files import read_migrations
from flowflare.migrations.statements import Statement, at_fault, statements

FILE = """\
-- Orders; and their lines.
CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT DEFAULT 'a;b');
/* a trigger; */ CREATE TRIGGER noted AFTER INSERT ON orders BEGIN
  UPDATE orders SET note = 'new' WHERE id = new.id;
END;

INSERT INTO orders (id) VALUES (1), (2)
"""


def test_a_file_is_split_where_statements_end() -> None:
    assert [(one.line, one.text.split(" ")[1]) for one in statements(FILE)] == [
        (2, "TABLE"),
        (3, "TRIGGER"),
        (7, "INTO"),
    ]
    assert statements("\n-- nothing\n") == []


def test_the_trackings_schema_is_split_into_what_sqlite_takes_one_by_one() -> None:
    database = sqlite3.connect(":memory:")
    for migration in read_migrations(library.folder("migrations")):
        for one in statements(migration.sql):
            database.execute(one.text)
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
def test_what_sqlite_says_leads_to_the_statement(added: str, line: int | None) -> None:
    sql = f"{FILE.rstrip()};\n\n{added}\n"
    database = sqlite3.connect(":memory:")
    with pytest.raises(sqlite3.Error) as caught:
        database.executescript(f"{sql};")
    database.close()
    found = at_fault(sql, f"{caught.value}: SQLITE_ERROR [code: 7500]")
    assert (found.line if found else None) == line


def test_a_name_that_is_taken_is_that_of_the_only_statement_that_makes_it() -> None:
    reason = "table orders already exists: SQLITE_ERROR [code: 7500]"
    assert [one.line for one in [at_fault(FILE, reason)] if one] == [2]


def test_a_constraint_is_broken_by_the_only_statement_that_writes_there() -> None:
    sql = "CREATE TABLE t (a UNIQUE);\nINSERT INTO t VALUES (1), (1);"
    reason = "UNIQUE constraint failed: t.a: SQLITE_CONSTRAINT [code: 7500]"
    assert at_fault(sql, reason) == Statement("INSERT INTO t VALUES (1), (1);", 2)
    assert at_fault(f"{sql}\nINSERT INTO t VALUES (2);", reason) is None
