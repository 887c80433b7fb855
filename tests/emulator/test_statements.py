"""SQL text is split into statements where SQLite would split it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowflare.emulator.services.d1.statements import split


@pytest.mark.parametrize(
    ("sql", "statements"),
    [
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1;SELECT 2;", ["SELECT 1;", "SELECT 2;"]),
        ("SELECT ';' ; SELECT 2", ["SELECT ';' ;", "SELECT 2"]),
        ("-- only; a comment\n/* and; another */ ;", []),
        ("SELECT 1; -- the end", ["SELECT 1;"]),
        (
            "create trigger t after insert on a begin select 1; select 2; end; select 3",
            ["create trigger t after insert on a begin select 1; select 2; end;", "select 3"],
        ),
        (
            "SELECT CASE 1 WHEN 1 THEN 2 END; SELECT 2",
            ["SELECT CASE 1 WHEN 1 THEN 2 END;", "SELECT 2"],
        ),
        ('SELECT ";" FROM [a;b]; SELECT 2', ['SELECT ";" FROM [a;b];', "SELECT 2"]),
        ("SELECT 1;\r\nSELECT 2;\r\n", ["SELECT 1;", "SELECT 2;"]),
    ],
)
def test_statements_end_where_sqlite_says(sql: str, statements: list[str]) -> None:
    assert split(sql) == statements


@given(st.lists(st.text(alphabet="ab;'-\n", max_size=12), min_size=1, max_size=5))
def test_strings_are_never_split(texts: list[str]) -> None:
    literals = ["SELECT '" + text.replace("'", "''") + "';" for text in texts]
    assert split("\n".join(literals)) == literals
