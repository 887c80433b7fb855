"""Reads a folder of D1 migrations: `0001_create_tables.sql`, `0002_...`, no gap, no duplicate."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from flowflare.errors import MigrationError

# wrangler's names; they are also quoted into SQL, so nothing else may be in them.
_NAME = re.compile(r"([0-9]{4})_[a-z0-9]+(_[a-z0-9]+)*\.sql")


@dataclass(frozen=True)
class Migration:
    """One migration file.

    Attributes:
        name: the file's name, which the ledger knows it by.
        sql: its text with line feeds only; D1 mishandles CR LF inside triggers.
        checksum: SHA-256 of `sql` in hexadecimal.
    """

    name: str
    sql: str
    checksum: str


def read_migrations(folder: Path) -> tuple[Migration, ...]:
    """Reads the migrations of a folder in numeric order.

    Raises:
        MigrationError: a name that is no migration's, a number that is given twice or left out,
            a file that is empty or no UTF-8; every problem at once.
    """
    problems: list[str] = []
    migrations = []
    expected = 1
    for path in sorted(folder.glob("*.sql")):
        match = _NAME.fullmatch(path.name)
        if not match:
            problems.append(f"{path.name}: is not called like 0001_create_tables.sql")
            continue
        number = int(match.group(1))
        if number < expected:
            problems.append(f"{path.name}: the number {match.group(1)} is given twice")
        elif number > expected:
            problems.append(f"{path.name}: {expected:04d} is missing before it")
        expected = max(expected, number) + 1 if number >= expected else expected
        try:
            migrations.append(_read(path))
        except MigrationError as error:
            problems.append(error.message)
    if problems:
        remedy = "Number the files 0001, 0002 and so on; never renumber one that was applied."
        raise MigrationError("\n".join(problems), remedy=remedy)
    return tuple(migrations)


def migration(name: str, text: str) -> Migration:
    """A migration of that name and text."""
    sql = text.replace("\r\n", "\n").replace("\r", "\n")
    return Migration(name, sql, hashlib.sha256(sql.encode()).hexdigest())


def _read(path: Path) -> Migration:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise MigrationError(f"{path.name}: is not UTF-8 text") from None
    if not text.strip():
        raise MigrationError(f"{path.name}: is empty")
    return migration(path.name, text)
