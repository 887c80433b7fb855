"""The linter's rules by name, and its findings.

An error is a statement that D1 refuses or that loses data. A warning is a statement that is costly
or surprising, or that fails only on some data. An error stops `up` until it is fixed, or accepted
by name with a reason.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """One finding of the linter.

    Attributes:
        rule: the rule's name, which a comment uses to accept it.
        severity: `error` stops `up`, `warning` does not.
        line: the line in it, from 1.
        statement: the first line of the statement; empty for a finding about the file.
        accepted: the reason from the comment that accepts it, else None.
    """

    rule: str
    severity: Severity
    file: str
    line: int
    statement: str
    message: str
    remedy: str
    accepted: str | None = None

    @property
    def stops(self) -> bool:
        """Whether the file cannot be applied."""
        return self.severity == "error" and self.accepted is None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: {self.message}. {self.remedy}"


#: Rules about data that a file would lose.
LOSING_RULES: Final = frozenset(
    {"delete-all", "drop-cascades", "drop-column", "drop-table", "replace-cascades"}
)
_ABOUT_ROWS: Final = LOSING_RULES | {
    "add-generated-column",
    "non-constant-default",
    "not-null-without-default",
    "references-with-default",
}


def judge_for_empty(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Judge findings for a database without tables: no rows, and only the files' tables."""
    return tuple(
        replace(finding, severity="error") if finding.rule == "does-not-apply" else finding
        for finding in findings
        if finding.rule not in _ABOUT_ROWS
    )


@dataclass(frozen=True)
class Rule:
    """A rule: its severity, and a short description for the reference page."""

    severity: Severity
    about: str


RULES: Final[Mapping[str, Rule]] = {
    "accept-comment": Rule("error", "an accept comment without a reason or with an unknown rule"),
    "accept-unused": Rule("warning", "an accept comment that accepts nothing"),
    "add-generated-column": Rule("error", "ADD COLUMN with a STORED generated column"),
    "attach": Rule("error", "ATTACH or DETACH: D1 refuses them"),
    "crlf-in-trigger": Rule("warning", "Windows line endings inside a trigger"),
    "delete-all": Rule("error", "DELETE without WHERE"),
    "does-not-apply": Rule("warning", "a statement that SQLite refuses after the earlier files"),
    "drop-cascades": Rule("error", "DROP TABLE that also deletes or changes rows of other tables"),
    "drop-column": Rule("error", "DROP COLUMN"),
    "drop-parent": Rule("warning", "DROP TABLE of a table that other tables refer to"),
    "drop-table": Rule("error", "DROP TABLE of a table whose rows are not copied"),
    "empty-migration": Rule("warning", "a file without a statement"),
    "foreign-keys-off": Rule("warning", "PRAGMA foreign_keys = OFF: D1 does not switch them off"),
    "ledger-table": Rule("error", "a statement about the tables that record migrations"),
    "missing-foreign-key-index": Rule("warning", "a foreign key without an index"),
    "non-constant-default": Rule("error", "ADD COLUMN whose default is an expression"),
    "not-null-without-default": Rule("error", "ADD COLUMN with NOT NULL and no default"),
    "number-used-twice": Rule("warning", "a number that another file has too"),
    "out-of-order": Rule("warning", "a new file that sorts before an applied one"),
    "pragma": Rule("error", "a PRAGMA that D1 refuses"),
    "references-with-default": Rule("error", "ADD COLUMN with REFERENCES and a default"),
    "rename-parent": Rule("warning", "RENAME of a table that other tables refer to"),
    "replace-cascades": Rule("error", "REPLACE that also deletes or changes rows of other tables"),
    "reserved-name": Rule("error", "a name that SQLite or D1 reserves"),
    "statement-too-long": Rule("error", "a statement of more than 100,000 bytes"),
    "syntax-error": Rule("error", "text that is not valid SQLite SQL"),
    "temporary": Rule("error", "a temporary table, view or trigger: D1 refuses them"),
    "too-deep": Rule("error", "an expression or a query that is nested too deeply"),
    "too-many-columns": Rule("error", "a table of more than 100 columns"),
    "transaction": Rule("error", "BEGIN, COMMIT, SAVEPOINT and similar: D1 refuses them"),
    "unterminated-statement": Rule("warning", "a last statement without a semicolon"),
    "update-all": Rule("warning", "UPDATE without WHERE"),
    "vacuum": Rule("error", "VACUUM: D1 refuses it"),
    "virtual-table": Rule("warning", "a virtual table: `wrangler d1 export` refuses the database"),
    "virtual-table-module": Rule("error", "a virtual table of a module that D1 does not have"),
}
