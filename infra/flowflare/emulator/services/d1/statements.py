"""Splits SQL text into statements, as D1 does before it runs them in one transaction."""

import re
import sqlite3

LONGEST = 100_000
_NOTHING = re.compile(r"(?:\s|;|--[^\n]*(?:\n|$)|/\*.*?(?:\*/|$))*", re.DOTALL)


def split(sql: str) -> list[str]:
    """The statements of a text, in order, without those that are only comments.

    SQLite's own tokenizer says where a statement ends, so semicolons in strings, comments and
    trigger bodies do not.
    """
    statements = []
    rest = ""
    for piece in re.split(r"(?<=;)", sql):
        rest += piece
        if sqlite3.complete_statement(rest):
            statements.append(rest)
            rest = ""
    return [each.strip() for each in (*statements, rest) if not _NOTHING.fullmatch(each)]
