"""Read the comments that accept findings: `-- flowflare: accept <rule>: <reason>`.

The comment precedes a statement and applies to that statement only.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from flowflare.migrations.findings import RULES, Finding
from flowflare.migrations.statements import Statement, cut_statements

_COMMENT: Final = re.compile(
    r"--[ \t]*flowflare:[ \t]*([^\n]*)|--[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL
)
_TO_STRIP: Final = re.compile(
    r"(?<=\n)[ \t]*--[ \t]*flowflare:[ \t]*accept\b[^\n]*(?:\n|\Z)"
    r"|[ \t]*--[ \t]*flowflare:[ \t]*accept\b[^\n]*",
    re.IGNORECASE,
)
_ACCEPT: Final = re.compile(r"accept[ \t]+([\w-]+)[ \t]*(?::[ \t]*(\S.*)?)?", re.IGNORECASE)
_FORM: Final = "Write: -- flowflare: accept <rule>: <reason>"


def strip_accepts(sql: str) -> str:
    """Remove the comments that accept findings, so that they can be added to an applied file.

    A comment inside a statement or a string is part of it, and stays.
    """
    if not _TO_STRIP.search(sql):
        return sql
    cut = cut_statements(f"\n{sql}")  # the first line begins like every other
    return "".join(_TO_STRIP.sub("", comments) + text for comments, text in cut)[1:]


@dataclass(frozen=True)
class _AcceptComment:
    rule: str
    reason: str
    line: int


class Accepts:
    """The accept comments of one file.

    Args:
        pieces: the file's statements, each with the comments before it.
    """

    def __init__(self, pieces: Sequence[Statement], file: str) -> None:
        self._file = file
        self._wrong: list[Finding] = []
        self._unused: list[_AcceptComment] = []
        self._of: dict[int, list[_AcceptComment]] = {}
        for piece in pieces:
            accepts = [self._read(line, text) for line, text in _find_comments(piece)]
            # Two statements can begin in one line, so the line does not identify a statement.
            self._of[id(piece)] = [accept for accept in accepts if accept is not None]
            self._unused += self._of[id(piece)]

    def reason(self, rule: str, statement: Statement) -> str | None:
        """Return the reason for accepting a finding about a statement; None without one."""
        for accept in self._of.get(id(statement), ()):
            if accept.rule == rule:
                self._unused = [other for other in self._unused if other is not accept]
                return accept.reason
        return None

    def findings(self) -> list[Finding]:
        """List invalid and unused comments, after `reason` was called for every finding."""
        unused = [
            self._finding(
                "accept-unused",
                accept.line,
                f"nothing here breaks the rule {accept.rule}",
                "Put the comment directly before its statement, or remove it.",
            )
            for accept in self._unused
        ]
        return [*self._wrong, *unused]

    def _read(self, line: int, text: str) -> _AcceptComment | None:
        match = _ACCEPT.fullmatch(text.strip())
        if match is None:
            self._wrong.append(
                self._finding(
                    "accept-comment", line, f"{text.strip()!r} is not an accept comment", _FORM
                )
            )
            return None
        rule, reason = match.group(1).lower(), match.group(2)
        if rule not in RULES:
            message = f"the rule {rule} does not exist"
            near = ", ".join(sorted(RULES))
            self._wrong.append(self._finding("accept-comment", line, message, f"Rules: {near}."))
        elif reason is None:
            message = f"{rule} is accepted without a reason"
            self._wrong.append(self._finding("accept-comment", line, message, _FORM))
        else:
            return _AcceptComment(rule, reason.strip(), line)
        return None

    def _finding(self, rule: str, line: int, message: str, remedy: str) -> Finding:
        severity = RULES[rule].severity
        return Finding(rule, severity, self._file, line, "", message, remedy)


def _find_comments(piece: Statement) -> list[tuple[int, str]]:
    found = []
    for match in _COMMENT.finditer(piece.comments):
        if match.group(1) is not None:
            line = piece.comments_line + piece.comments.count("\n", 0, match.start())
            found.append((line, match.group(1)))
    return found
