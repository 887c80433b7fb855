"""Apply the pending migrations of a D1 database; run it again to resume after a crash.

Each file is one call, so its SQL and its row in the ledger are committed together.
"""

from collections.abc import Sequence

from flowflare.migrations.files import Migration
from flowflare.migrations.ledger import RemoteDatabase, apply, note_checksums, open_ledger
from flowflare.migrations.plan import Applied, list_pending


def migrate(database: RemoteDatabase, migrations: Sequence[Migration]) -> tuple[Applied, ...]:
    """Apply the pending migrations.

    Args:
        migrations: all files, in order.

    Returns:
        The name and checksum of each file as the ledger has them afterwards, in order of the files.
        A checksum from an earlier release is kept.

    Raises:
        MigrationError: an applied file was changed (nothing is applied), or a file's SQL failed
            (the files before it are applied).
        ApiError: Cloudflare refused a call or did not answer.
    """
    applied = open_ledger(database)
    missing = list_pending(migrations, applied)
    unnoted = {row.name for row in applied if row.checksum is None}
    note_checksums(database, [file for file in migrations if file.name in unnoted])
    before = [file for file in migrations if file not in missing]
    for migration in missing:
        # Each file gets its own bookmark to restore.
        apply(database, migration, bookmark=database.read_bookmark(), before=before)
        before.append(migration)
    noted = {row.name: row.checksum for row in applied}
    return tuple(Applied(file.name, noted.get(file.name) or file.checksum) for file in migrations)
