"""Triggers are written so that D1's query endpoint, which splits the text itself, takes them."""

import re
import sqlite3

import pytest

from flowflare.migrations.baseline import normalise
from flowflare.migrations.files import make_migration
from flowflare.migrations.ledger import write_file
from flowflare.migrations.triggers import write_statement

TABLES = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER); CREATE TABLE log (x);\n"
LEDGER = "INSERT INTO log VALUES ('ledger');"


def split_as_d1(sql: str) -> list[str]:
    """Split a text as the public reports describe D1's endpoint.

    A body begins with an upper-case BEGIN, and the first END between spaces or before a
    semicolon is its last word. Reports: workers-sdk issues 4727, 10998, 15314.
    """
    found, piece, is_body = [], "", False
    for character in re.sub(r"--[^\n]*", "", sql):
        piece += character
        if re.search(r"\sBEGIN\s\Z", piece):
            is_body = True
        if is_body and re.search(r"\sEND[;\s]\Z", piece):
            is_body = False
        if character == ";" and not is_body:
            found.append(piece.strip())
            piece = ""
    return [*found, piece.strip()] if piece.strip() else found


TRIGGERS = {
    "in lower case": (
        "create trigger n after insert on t for each row\nbegin\n"
        "  update t set a = 'new' where id = new.id;\nend;"
    ),
    "with CASE before a semicolon": (
        "CREATE TRIGGER n AFTER INSERT ON t BEGIN\n"
        "  UPDATE t SET a = CASE WHEN new.b > 1 THEN 'many' ELSE 'new' END;\nEND;"
    ),
    "with CASE before a word": (
        "CREATE TRIGGER n AFTER INSERT ON t BEGIN\n"
        "  UPDATE t SET a = CASE WHEN new.b > 1 THEN 'many' ELSE 'new' END WHERE id = new.id;\nEND;"
    ),
    "with CASE in CASE": (
        "CREATE TRIGGER n AFTER INSERT ON t BEGIN INSERT INTO log SELECT CASE new.b WHEN 9 THEN 1 "
        "ELSE CASE WHEN new.a IS NULL THEN 2 END END AS x;\n"
        "  UPDATE t SET a = coalesce( CASE WHEN new.b THEN 'new' END , 'new'); END;"
    ),
    "with comments": (
        "CREATE TRIGGER n AFTER INSERT ON t -- it's one; BEGIN\n"
        "/* what; END; does */ BEGIN/* here */UPDATE t SET a = 'new'; -- END;\nEND;"
    ),
    "with a word of the body in a name": (
        "CREATE TRIGGER n AFTER INSERT ON t WHEN (new.b = 1)begin UPDATE t SET a = 'new' "
        "WHERE 'BEGIN END' <> \"a\";end;"
    ),
}


def fire(sql: list[str]) -> tuple[object, ...]:
    database = sqlite3.connect(":memory:")
    database.executescript(TABLES)
    for statement in sql:
        database.execute(statement)
    database.execute("INSERT INTO t (b) VALUES (1)")
    rows = database.execute("SELECT a, (SELECT group_concat(x) FROM log) FROM t").fetchall()
    database.close()
    return tuple(rows)


@pytest.mark.parametrize("sql", TRIGGERS.values(), ids=TRIGGERS)
def test_a_trigger_is_one_statement_for_d1_and_does_what_the_file_says(sql: str) -> None:
    with pytest.raises(sqlite3.OperationalError, match="incomplete input"):
        fire(split_as_d1(f"{sql}\n{LEDGER}"))
    sent = split_as_d1(f"{write_file(sql)}{LEDGER}")
    assert len(sent) == 2
    assert fire(sent) == fire([sql, LEDGER])
    # Writing it again changes nothing, so what D1 has does not differ from the file.
    assert write_statement(sent[0]) == sent[0]
    assert normalise(sent[0]) == normalise(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TRIGGER n AFTER INSERT ON t BEGIN\n  SELECT (CASE WHEN 1 THEN 2 END);\nEND;",
        "CREATE TABLE u (x -- it's; BEGIN\n);",
        "SELECT CASE WHEN 1 THEN 'BEGIN' END;",
        "CREATE TRIGGER n AFTER INSERT ON t",
        "create trigger n after insert on t begin select case when 1 then end else 2 end; end;",
    ],
)
def test_what_d1_takes_is_sent_as_it_is(sql: str) -> None:
    assert write_statement(sql) == sql


def test_the_ledger_follows_a_file_that_ends_in_any_way() -> None:
    assert write_file("SELECT 1") == "SELECT 1\n;\n"
    assert write_file("SELECT 1; -- the end") == "SELECT 1; -- the end\n"
    assert write_file(make_migration("0001_a.sql", "").sql) == "\n"
