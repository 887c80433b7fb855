"""Each rule of the migration linter, compared with what workerd's D1 does with the file."""

import pytest

from flowflare.migrations.findings import RULES
from tests.emulator.emulated import Account
from tests.unit.migrations.lint_cases import BEFORE, CASES, HARMLESS, ROWS, Case

pytestmark = pytest.mark.workerd

# D1 does not report these rules, which are about comments, line ends, cost or wrangler.
_UNSEEN = {
    "accept-comment",
    "accept-unused",
    "crlf-in-trigger",
    "empty-migration",
    "ledger-table",
    "missing-foreign-key-index",
    "number-used-twice",
    "out-of-order",
    "unterminated-statement",
    "virtual-table",
}


def create_filled(account: Account, name: str) -> str:
    database = account.database(name)
    account.query(database, BEFORE + ROWS)
    return database


@pytest.mark.parametrize("does", ["refuses", "loses"])
def test_d1_does_what_the_rules_say(account: Account, does: str) -> None:
    for rule, case in CASES.items():
        if case.does == does:
            held = _is_refused if does == "refuses" else _loses_rows
            assert held(account, create_filled(account, rule), case), rule


def test_every_other_rule_is_about_something_else() -> None:
    assert {rule for rule, case in CASES.items() if case.does == "takes"} == _UNSEEN
    refused = {rule for rule, case in CASES.items() if case.does == "refuses"}
    warnings = {rule for rule in refused if RULES[rule].severity == "warning"}
    assert warnings == {"does-not-apply", "drop-parent"}  # refused on some databases only


def test_d1_accepts_what_the_linter_accepts(account: Account) -> None:
    for name, sql in HARMLESS.items():
        database = create_filled(account, name[:60].replace(" ", "-"))
        account.query(database, sql)
        assert account.rows(database, "SELECT count(*) AS n FROM child") == [{"n": 2}], name


def test_an_index_saves_the_rows_that_the_warning_counts(account: Account) -> None:
    database = create_filled(account, "index")
    account.query(database, CASES["missing-foreign-key-index"].sql)
    account.query(database, "INSERT INTO uncle WITH RECURSIVE x (n) AS (SELECT 2 UNION ALL SELECT "
                  "n + 1 FROM x WHERE n < 200) SELECT n, '' FROM x; "
                  "INSERT INTO cousin (uncle) SELECT id FROM uncle WHERE id > 1")  # fmt: skip
    account.query(database, "DELETE FROM cousin WHERE uncle = 100")
    without = _rows_read(account, database, "DELETE FROM uncle WHERE id = 100")
    account.query(database, "CREATE INDEX cousin_uncle ON cousin (uncle)")
    account.query(database, "DELETE FROM cousin WHERE uncle = 101")
    with_index = _rows_read(account, database, "DELETE FROM uncle WHERE id = 101")
    assert without > 150 > with_index


def _rows_read(account: Account, database: str, sql: str) -> int:
    count: int = account.query(database, sql)[0]["meta"]["rows_read"]
    return count


def _is_refused(account: Account, database: str, case: Case) -> bool:
    path = f"/d1/database/{database}/query"
    refused = account.expect_refusal("POST", path, json={"sql": case.sql})
    return refused.errors[0][0] == 7500


def _loses_rows(account: Account, database: str, case: Case) -> bool:
    counted = [account.rows(database, case.probe)[0]["n"]]
    account.query(database, case.sql)
    counted.append(account.rows(database, case.probe)[0]["n"])
    return counted == [case.before, case.after]
