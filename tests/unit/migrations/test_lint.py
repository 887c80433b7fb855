"""The linter: a file that breaks each rule, files without findings, and arbitrary text."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowflare import library
from flowflare.migrations.files import make_migration, read_migrations
from flowflare.migrations.findings import RULES, Finding
from flowflare.migrations.lint import lint
from tests.unit.migrations.golden import compare
from tests.unit.migrations.lint_cases import BEFORE, CASES, HARMLESS

FIRST = make_migration("0001_first.sql", BEFORE)


def findings(sql: str, name: str = "0002_second.sql") -> tuple[Finding, ...]:
    return lint([FIRST, make_migration(name, sql)], applied=1)


def test_each_rule_has_a_file_that_breaks_it_with_its_own_message() -> None:
    assert CASES.keys() == RULES.keys()
    messages = []
    for rule, case in CASES.items():
        found = findings(case.sql, case.name)
        assert rule in [finding.rule for finding in found], rule
        messages += [
            f"{finding.severity} {finding}\n  | {finding.statement}\n" for finding in found
        ]
    compare(Path(__file__).parent / "expected" / "findings.txt", "".join(messages))


@pytest.mark.parametrize("sql", HARMLESS.values(), ids=HARMLESS)
def test_files_that_only_look_wrong_have_no_finding(sql: str) -> None:
    assert [str(finding) for finding in findings(sql)] == []


def test_the_tracking_schema_has_no_finding() -> None:
    assert lint(read_migrations(library.folder("migrations"))) == ()


def test_a_finding_has_its_line_in_the_file() -> None:
    [found] = findings("-- a comment;\nSELECT 1; SELECT ';\n';\n\n/* b; */ DELETE FROM alone\n;")
    assert (found.file, found.line, found.statement) == ("0002_second.sql", 5, "DELETE FROM alone")


def test_applied_files_are_read_but_not_checked() -> None:
    second = make_migration("0002_second.sql", "DROP TABLE child;")
    third = make_migration("0003_third.sql", "DROP TABLE parent;")
    rules = [finding.rule for finding in lint([FIRST, second, third], applied=2)]
    assert rules == ["drop-table"]  # and not drop-cascades: the child does not exist any more


def test_a_comment_accepts_one_rule_for_the_next_statement() -> None:
    found = findings(
        "DELETE FROM parent;\n"
        "-- flowflare: accept delete-all: the rows moved to R2 in 0001\n"
        "-- and more words\n"
        "DELETE FROM alone; DELETE FROM child;\n"
    )
    assert [(finding.line, finding.accepted, finding.stops) for finding in found] == [
        (1, None, True),
        (4, "the rows moved to R2 in 0001", False),
        (4, None, True),
    ]


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("accept delete-all", "delete-all is accepted without a reason"),
        ("accept delete-all:  ", "delete-all is accepted without a reason"),
        ("accept delete-everything: yes", "the rule delete-everything does not exist"),
        ("ignore", "'ignore' is not an accept comment"),
    ],
)
def test_a_comment_that_accepts_nothing_is_an_error_too(comment: str, message: str) -> None:
    found = findings(f"-- flowflare: {comment}\nDELETE FROM alone;")
    first, second = [finding for finding in found if finding.stops]
    assert (first.rule, first.message) == ("accept-comment", message)
    assert second.rule == "delete-all"


UNION = " UNION ALL ".join(f"SELECT {number}" for number in range(6))


@pytest.mark.parametrize(
    ("sql", "words", "stops"),
    [
        (f"INSERT INTO alone (id) {UNION};", "too many terms in compound SELECT", True),
        (f"CREATE VIEW many AS {UNION};", "too many terms in compound SELECT", True),
        (f"SELECT {', '.join('1' for _ in range(101))};", "too many columns in result set", True),
        (f"SELECT {' + '.join('1' for _ in range(102))};", "Expression tree is too large", True),
        ("INSERT INTO alone (id, y) SELECT id, note FROM alone;", "no column named y", False),
        ("INSERT INTO alone (id) SELECT y FROM alone;", "no such column: y", False),
        ("UPDATE alone SET y = 1 WHERE id = 1;", "no such column: y", False),
        ("DELETE FROM alone WHERE y = 1;", "no such column: y", False),
        ("WITH x AS (SELECT y FROM alone) SELECT * FROM x;", "no such column: y", False),
        ("INSERT INTO alone VALUES (1, 2);", "3 columns but 2 values", False),
        ("REPLACE INTO missing VALUES (1);", "no such table: missing", False),
    ],
)
def test_statements_that_move_rows_are_prepared_within_the_limits_of_d1(
    sql: str, words: str, stops: bool
) -> None:
    [found] = findings(sql)
    assert (found.rule, found.stops) == ("does-not-apply", stops)
    assert words in found.message


def test_a_statement_of_many_rows_is_prepared() -> None:
    rows = ", ".join(f"({number})" for number in range(11_000))
    assert findings(f"INSERT INTO alone (id) VALUES {rows};") == ()


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE VIRTUAL TABLE words USING fts5(word);\nINSERT INTO words (word) VALUES ('a');\n"
        "INSERT INTO words (words) VALUES ('rebuild');\nDELETE FROM words_content WHERE id = 1;",
        "CREATE TEMP TABLE mine (a);\nINSERT INTO mine VALUES (1);",
        f"CREATE VIEW many AS {UNION};\nSELECT * FROM many;",
    ],
)
def test_a_table_that_is_unknown_here_is_reported_once_at_most(sql: str) -> None:
    assert {finding.line for finding in findings(sql)} <= {1}


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
def test_every_text_can_be_checked(text: str) -> None:
    for finding in findings(text):
        assert 1 <= finding.line <= text.count("\n") + text.count("\r") + 1
        assert finding.severity in (RULES[finding.rule].severity, "error")


@pytest.mark.parametrize("piece", ["(", "NOT ", "1 + ", "CASE WHEN ", "(SELECT ", "f("])
def test_deeply_nested_statements_can_be_checked(piece: str) -> None:
    depth = 99_000 // len(piece)
    assert findings(f"SELECT {piece * depth}1;")[0].rule in ("too-deep", "syntax-error")


def test_a_table_that_is_computed_endlessly_is_abandoned() -> None:
    endless = "WITH RECURSIVE x (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x) SELECT n FROM x"
    assert findings(f"CREATE TABLE mine AS {endless};") == ()


def test_nothing_outside_of_memory_is_accessed(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    findings(f"ATTACH '{file}' AS other;\nCREATE TABLE other.t (a);\nVACUUM INTO '{file}';")
    assert not file.exists()
