"""Finds the statement that D1's refusal of a file is about: D1 says why, but not where.

D1 answers SQLite's own words. A text that is no SQL is found by asking SQLite here, which needs
no tables for that; a name that is missing or taken is looked for in the statements.
"""

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

_NO_SQL = re.compile(r"syntax error|unrecognized token|incomplete input")
# SQLite stops at the first statement that fails, and that one has the name.
_MISSING = re.compile(r"no such [a-z]+: (?:\w+\.)?(\w+)|has no column named (\w+)")
_TAKEN = re.compile(r"(?:table|view|index|trigger) \W?(\w+)\W? already exists")
_BROKEN = re.compile(r"constraint failed: (\w+)")


@dataclass(frozen=True)
class Statement:
    """One statement of a file: its text, and the line it begins in."""

    text: str
    line: int


def statements(sql: str) -> list[Statement]:
    """The statements of a file; one in a trigger's body belongs to the trigger."""
    found: list[Statement] = []
    begin = 0
    for end in [match.end() for match in re.finditer(";", sql)] + [len(sql)]:
        piece = sql[begin:end]
        if end < len(sql) and not sqlite3.complete_statement(piece):
            continue
        text = _without_comments(piece)
        if text:
            found.append(Statement(text, sql.count("\n", 0, begin + piece.rindex(text)) + 1))
        begin = end
    return found


def at_fault(sql: str, reason: str) -> Statement | None:
    """The statement that a refusal is about, None where that cannot be told.

    Args:
        sql: the file's text.
        reason: what D1 said.
    """
    every = statements(sql)
    if _NO_SQL.search(reason):
        return next((one for one in every if _is_no_sql(one.text)), None)
    if match := _MISSING.search(reason):
        name = next(group for group in match.groups() if group)
        return next(iter(_matching(every, rf"\b{name}\b")), None)
    if match := _TAKEN.search(reason):
        making = rf"\ACREATE\s+(?:UNIQUE\s+)?\w+\s+\W?{match.group(1)}\b"
        return _only(_matching(every, making))
    if match := _BROKEN.search(reason):
        return _only(_matching(every, rf"\A(?!CREATE\b).*\b{match.group(1)}\b"))
    return None


def _without_comments(piece: str) -> str:
    """The piece from its first word on; comments inside it stay."""
    return re.sub(r"\A(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)+", "", piece, flags=re.DOTALL).rstrip()


def _matching(every: Sequence[Statement], pattern: str) -> list[Statement]:
    words = re.compile(pattern, re.IGNORECASE | re.DOTALL)
    return [one for one in every if words.search(one.text)]


def _only(found: Sequence[Statement]) -> Statement | None:
    return found[0] if len(found) == 1 else None


def _is_no_sql(text: str) -> bool:
    database = sqlite3.connect(":memory:")
    try:
        database.execute(f"EXPLAIN {text}")
    except sqlite3.Error as error:
        return bool(_NO_SQL.search(str(error)))
    finally:
        database.close()
    return False
