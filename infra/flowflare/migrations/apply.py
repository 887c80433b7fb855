"""Brings a D1 database to the last migration; a run that was killed goes on where it ended.

Each file is one call: its SQL and the ledger's row stand or fall together.
"""

from collections.abc import Sequence
from dataclasses import replace

from flowflare.migrations.files import Migration
from flowflare.migrations.ledger import Database, apply, note_checksums, open_ledger
from flowflare.migrations.plan import Applied, pending


def migrate(database: Database, migrations: Sequence[Migration]) -> tuple[Applied, ...]:
    """Applies what is missing.

    Args:
        database: the database.
        migrations: all files, in order.

    Returns:
        The ledger's rows afterwards, oldest first.

    Raises:
        MigrationError: an applied file was changed (nothing is done), or a file's SQL failed (the
            files before it are applied).
        ApiError: Cloudflare refused or did not answer.
    """
    applied = open_ledger(database)
    missing = pending(migrations, applied)
    done = [file for file, row in zip(migrations, applied, strict=False) if row.checksum is None]
    note_checksums(database, done)
    # Before the first migration there is nothing to go back to.
    bookmark = database.bookmark() if missing and applied else None
    for migration in missing:
        apply(database, migration, bookmark=bookmark)
    known = [
        replace(row, checksum=file.checksum) for row, file in zip(applied, migrations, strict=False)
    ]
    return (*known, *(Applied(file.name, file.checksum) for file in missing))
