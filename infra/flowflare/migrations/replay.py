"""Finds the statement that D1 refused, by asking SQLite for each after what came before it."""

from collections.abc import Sequence

from flowflare.migrations.files import Migration
from flowflare.migrations.schema import Schema
from flowflare.migrations.statements import Statement, at_fault, statements


def refused_statement(
    before: Sequence[Migration], migration: Migration, reason: str
) -> Statement | None:
    """The statement of a file that a refusal is about, None where that cannot be told.

    Args:
        before: the files that were applied before it.
        migration: the file.
        reason: what D1 said, which has SQLite's words and not the place.
    """
    with Schema() as schema:
        for file in before:
            for one in statements(file.sql):
                schema.apply(one.text)
        for one in statements(migration.sql):
            refusal = schema.refusal(one.text)
            if refusal and refusal in reason:
                return one
            if refusal:
                break
    # It depends on rows, or this SQLite is not D1's: the words themselves have to do.
    return at_fault(migration.sql, reason)
