"""Find the statement that D1 refused, by running the statements in the local SQLite."""

from collections.abc import Sequence

from flowflare.migrations.files import Migration
from flowflare.migrations.schema import Schema
from flowflare.migrations.statements import Statement, find_failing_statement, split_statements


def find_refused_statement(
    before: Sequence[Migration], migration: Migration, reason: str
) -> Statement | None:
    """Find the statement of a file that an error is about; None if it cannot be determined.

    Args:
        before: the files that were applied before it.
        reason: D1's error, which has SQLite's message but no position.
    """
    with Schema() as schema:
        for file in before:
            for statement in split_statements(file.sql):
                schema.apply(statement.text)
        for statement in split_statements(migration.sql):
            refusal = schema.refusal(statement.text)
            if refusal and refusal in reason:
                return statement
            if refusal:
                break
    # The error depends on rows, or this SQLite differs from D1's: only its message can help.
    return find_failing_statement(migration.sql, reason)
