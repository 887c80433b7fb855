"""Split a file's SQL into statements, and find the statement that D1's error is about.

SQLite's own tokenizer finds the end of a statement. D1 returns SQLite's message without a position.
Invalid SQL is found by asking the local SQLite, which needs no tables for that; a missing or
existing name is searched for in the statements.
"""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_NO_SQL = re.compile(r"syntax error|unrecognized token|incomplete input")
# SQLite stops at the first statement that fails, and the message has a name from it.
_MISSING = re.compile(r"no such [a-z]+: (?:\w+\.)?(\w+)|has no column named (\w+)")
_TAKEN = re.compile(r"(?:table|view|index|trigger) \W?(\w+)\W? already exists")
_BROKEN = re.compile(r"constraint failed: (\w+)")
_BEFORE = re.compile(r"(?:\s+|;|--[^\n]*(?:\n|\Z)|/\*.*?(?:\*/|\Z))*", re.DOTALL)


@dataclass(frozen=True)
class Statement:
    """One statement of a file.

    Attributes:
        text: from its first word to its end, including the semicolon.
        line: the line in which it begins.
        comments: the text between the previous statement and its first word.
        comments_line: the line in which `comments` begins.
    """

    text: str
    line: int
    comments: str = field(default="", compare=False)
    comments_line: int = field(default=1, compare=False)


def split_statements(sql: str) -> list[Statement]:
    """Split a file into statements. A statement in a trigger's body is part of the trigger."""
    return [piece for piece in split_pieces(sql) if piece.text]


def split_pieces(sql: str) -> list[Statement]:
    """Split a file into statements; comments after the last are a statement without text."""
    found = []
    line = 1
    for comments, text in cut_statements(sql):
        begin = line + comments.count("\n")
        if text or comments.strip():
            found.append(Statement(text.rstrip(), begin, comments, line))
        line = begin + text.count("\n")
    return found


def find_failing_statement(sql: str, reason: str) -> Statement | None:
    """Find the statement that an error is about; None if it cannot be determined.

    Args:
        reason: D1's error.
    """
    every = split_statements(sql)
    if _NO_SQL.search(reason):
        return next((statement for statement in every if find_syntax_problem(statement.text)), None)
    if match := _MISSING.search(reason):
        name = next(group for group in match.groups() if group)
        return next(iter(_match(every, rf"\b{name}\b")), None)
    if match := _TAKEN.search(reason):
        making = rf"\ACREATE\s+(?:UNIQUE\s+)?\w+\s+\W?{match.group(1)}\b"
        return _take_only(_match(every, making))
    if match := _BROKEN.search(reason):
        return _take_only(_match(every, rf"\A(?!CREATE\b).*\b{match.group(1)}\b"))
    return _take_only(every)


def find_syntax_problem(text: str) -> str | None:
    """Return SQLite's syntax error for a statement; None for valid SQL."""
    database = sqlite3.connect(":memory:")
    try:
        database.execute(f"EXPLAIN {text}")
    except (sqlite3.Error, ValueError) as error:
        return str(error) if _NO_SQL.search(str(error)) else None
    finally:
        database.close()
    return None


def cut_statements(sql: str) -> Iterator[tuple[str, str]]:
    """Split SQL into statements, each with its comments; joined, they are the SQL again."""
    for piece in _cut(sql):
        before = _BEFORE.match(piece)
        comments = before.group() if before else ""
        yield comments, piece[len(comments) :]


def _cut(sql: str) -> Iterator[str]:
    """Split a string where statements end."""
    # SQLite stops reading at a NUL, and Python refuses to pass it one.
    asked = sql.replace("\0", " ").encode("utf-8", "replace").decode()
    begin = 0
    for match in re.finditer(";", asked):
        if sqlite3.complete_statement(asked[begin : match.end()]):
            yield sql[begin : match.end()]
            begin = match.end()
    if begin < len(sql):
        yield sql[begin:]


def _match(every: Sequence[Statement], pattern: str) -> list[Statement]:
    words = re.compile(pattern, re.IGNORECASE | re.DOTALL)
    return [statement for statement in every if words.search(statement.text)]


def _take_only(found: Sequence[Statement]) -> Statement | None:
    return found[0] if len(found) == 1 else None
