"""Split SQL text into statements, as D1 does before it runs them in one transaction."""

import re
import sqlite3

MAX_BYTES = 100_000
_NOTHING = re.compile(r"(?:\s|;|--[^\n]*(?:\n|$)|/\*.*?(?:\*/|$))*", re.DOTALL)


def split(sql: str) -> list[str]:
    """Split a string into its statements, in order, and skip those that are only comments.

    SQLite's own tokenizer finds the end of a statement, so semicolons in strings, comments and
    trigger bodies do not end it.
    """
    statements = []
    rest = ""
    for piece in re.split(r"(?<=;)", sql):
        rest += piece
        if sqlite3.complete_statement(rest):
            statements.append(rest)
            rest = ""
    return [sql.strip() for sql in (*statements, rest) if not _NOTHING.fullmatch(sql)]
