"""The linter: a file for each rule, files without a finding, and any text at all."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowflare import library
from flowflare.migrations.files import migration, read_migrations
from flowflare.migrations.findings import RULES, Finding
from flowflare.migrations.lint import lint
from tests.unit.migrations.golden import compare
from tests.unit.migrations.lint_cases import BEFORE, CASES, HARMLESS

FIRST = migration("0001_first.sql", BEFORE)


def findings(sql: str) -> tuple[Finding, ...]:
    return lint([FIRST, migration("0002_second.sql", sql)], applied=1)


def test_each_rule_has_a_file_that_breaks_it_in_words_of_its_own() -> None:
    assert CASES.keys() == RULES.keys()
    told = []
    for rule, case in CASES.items():
        found = findings(case.sql)
        assert rule in [one.rule for one in found], rule
        told += [f"{one.severity} {one}\n  | {one.statement}\n" for one in found]
    compare(Path(__file__).parent / "expected" / "findings.txt", "".join(told))


@pytest.mark.parametrize("sql", HARMLESS.values(), ids=HARMLESS)
def test_what_only_looks_wrong_is_not_found(sql: str) -> None:
    assert [str(one) for one in findings(sql)] == []


def test_the_trackings_own_files_are_without_a_finding() -> None:
    assert lint(read_migrations(library.folder("migrations"))) == ()


def test_a_finding_has_its_place_in_the_file() -> None:
    [found] = findings("-- a comment;\nSELECT 1; SELECT ';\n';\n\n/* b; */ DELETE FROM alone\n;")
    assert (found.file, found.line, found.statement) == ("0002_second.sql", 5, "DELETE FROM alone")


def test_applied_files_are_read_and_not_judged() -> None:
    second = migration("0002_second.sql", "DROP TABLE child;")
    third = migration("0003_third.sql", "DROP TABLE parent;")
    rules = [one.rule for one in lint([FIRST, second, third], applied=2)]
    assert rules == ["drop-table"]  # and no drop-cascades: the child is gone


def test_a_comment_accepts_one_rule_of_the_statement_after_it() -> None:
    found = findings(
        "DELETE FROM parent;\n"
        "-- flowflare: accept delete-all: the rows moved to R2 in 0001\n"
        "-- and more words\n"
        "DELETE FROM alone; DELETE FROM child;\n"
    )
    assert [(one.line, one.accepted, one.stops) for one in found] == [
        (1, None, True),
        (4, "the rows moved to R2 in 0001", False),
        (4, None, True),
    ]


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("accept delete-all", "delete-all is accepted without a reason"),
        ("accept delete-all:  ", "delete-all is accepted without a reason"),
        ("accept delete-everything: yes", "there is no rule delete-everything"),
        ("ignore", "'ignore' is no such comment"),
    ],
)
def test_a_comment_that_accepts_nothing_stops_as_well(comment: str, message: str) -> None:
    found = findings(f"-- flowflare: {comment}\nDELETE FROM alone;")
    first, second = [one for one in found if one.stops]
    assert (first.rule, first.message) == ("accept-comment", message)
    assert second.rule == "delete-all"


_SQL = """
CREATE TABLE TRIGGER INDEX VIEW TEMP IF EXISTS NOT NULL BEGIN END SELECT INSERT INTO VALUES UPDATE
SET DELETE FROM WHERE DROP ALTER ADD COLUMN RENAME TO REPLACE PRAGMA foreign_keys OFF parent child
alone id ( ) , ; ' " [ ] = -- /* */ 1 x'00' REFERENCES ON CASCADE WITH AS AND CASE WHEN UNION
DEFAULT PRIMARY KEY UNIQUE USING fts5 ATTACH SAVEPOINT é 😀 `
"""
_WORDS = st.sampled_from([*_SQL.split(), "\n", "\0", "\r"])
_TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(_WORDS, max_size=40).map(" ".join),
    st.sampled_from([case.sql[:300] for case in CASES.values()] + list(HARMLESS.values())).flatmap(
        lambda sql: st.integers(0, len(sql)).map(lambda at: sql[:at] + sql[at + 1 :])
    ),
)


@settings(max_examples=300, deadline=None)
@given(_TEXTS)
def test_no_text_is_too_much_for_it(text: str) -> None:
    for one in findings(text):
        assert 1 <= one.line <= text.count("\n") + text.count("\r") + 1
        assert RULES[one.rule].severity == one.severity


@pytest.mark.parametrize("piece", ["(", "NOT ", "1 + ", "CASE WHEN ", "(SELECT ", "f("])
def test_nothing_is_nested_too_deep_for_it(piece: str) -> None:
    depth = 99_000 // len(piece)
    assert findings(f"SELECT {piece * depth}1;")[0].rule in ("too-deep", "syntax-error")


def test_a_table_that_is_computed_for_ever_is_given_up() -> None:
    endless = "WITH RECURSIVE x (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x) SELECT n FROM x"
    assert findings(f"CREATE TABLE mine AS {endless};") == ()


def test_nothing_outside_of_memory_is_touched(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    findings(f"ATTACH '{file}' AS other;\nCREATE TABLE other.t (a);\nVACUUM INTO '{file}';")
    assert not file.exists()
