"""Splits a file's SQL into statements, and finds the one that D1's refusal is about.

SQLite's own tokenizer says where a statement ends. D1 answers SQLite's words and not the place: a
text that is no SQL is found by asking SQLite here, which needs no tables for that; a name that is
missing or taken is looked for in the statements.
"""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_NO_SQL = re.compile(r"syntax error|unrecognized token|incomplete input")
# SQLite stops at the first statement that fails, and that one has the name.
_MISSING = re.compile(r"no such [a-z]+: (?:\w+\.)?(\w+)|has no column named (\w+)")
_TAKEN = re.compile(r"(?:table|view|index|trigger) \W?(\w+)\W? already exists")
_BROKEN = re.compile(r"constraint failed: (\w+)")
_BEFORE = re.compile(r"(?:\s+|;|--[^\n]*(?:\n|\Z)|/\*.*?(?:\*/|\Z))*", re.DOTALL)


@dataclass(frozen=True)
class Statement:
    """One statement of a file.

    Attributes:
        text: from its first word on, with what ends it.
        line: the line of the file that it begins in.
        comments: what stands between the statement before it and its first word.
        comments_line: the line that `comments` begins in.
    """

    text: str
    line: int
    comments: str = field(default="", compare=False)
    comments_line: int = field(default=1, compare=False)


def statements(sql: str) -> list[Statement]:
    """The statements of a file; one in a trigger's body belongs to the trigger."""
    return [one for one in pieces(sql) if one.text]


def pieces(sql: str) -> list[Statement]:
    """The statements, and the comments after the last one as a statement without text."""
    found = []
    line = 1
    for piece in _cut(sql):
        before = _BEFORE.match(piece)
        comments = before.group() if before else ""
        text = piece[len(comments) :].rstrip()
        begin = line + comments.count("\n")
        found.append(Statement(text, begin, comments, line))
        line += piece.count("\n")
    return found


def at_fault(sql: str, reason: str) -> Statement | None:
    """The statement that a refusal is about, None where that cannot be told.

    Args:
        sql: the file's text.
        reason: what D1 said.
    """
    every = statements(sql)
    if _NO_SQL.search(reason):
        return next((one for one in every if syntax_problem(one.text)), None)
    if match := _MISSING.search(reason):
        name = next(group for group in match.groups() if group)
        return next(iter(_matching(every, rf"\b{name}\b")), None)
    if match := _TAKEN.search(reason):
        making = rf"\ACREATE\s+(?:UNIQUE\s+)?\w+\s+\W?{match.group(1)}\b"
        return _only(_matching(every, making))
    if match := _BROKEN.search(reason):
        return _only(_matching(every, rf"\A(?!CREATE\b).*\b{match.group(1)}\b"))
    return _only(every)


def syntax_problem(text: str) -> str | None:
    """What SQLite says to a statement that is no SQL to it; None for one that is."""
    database = sqlite3.connect(":memory:")
    try:
        database.execute(f"EXPLAIN {text}")
    except (sqlite3.Error, ValueError) as error:
        return str(error) if _NO_SQL.search(str(error)) else None
    finally:
        database.close()
    return None


def _cut(sql: str) -> Iterator[str]:
    """The text in pieces that end where statements do."""
    # SQLite reads no further than a NUL, and Python refuses to ask it about one.
    asked = sql.replace("\0", " ").encode("utf-8", "replace").decode()
    begin = 0
    for match in re.finditer(";", asked):
        if sqlite3.complete_statement(asked[begin : match.end()]):
            yield sql[begin : match.end()]
            begin = match.end()
    if sql[begin:].strip():
        yield sql[begin:]


def _matching(every: Sequence[Statement], pattern: str) -> list[Statement]:
    words = re.compile(pattern, re.IGNORECASE | re.DOTALL)
    return [one for one in every if words.search(one.text)]


def _only(found: Sequence[Statement]) -> Statement | None:
    return found[0] if len(found) == 1 else None
