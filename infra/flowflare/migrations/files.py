"""Read a folder of D1 migrations as wrangler names them: `0001_create_tables.sql`, `0002_...`.

The first number is 0000 or 0001. The numbers after it have no gaps and no duplicates.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flowflare.errors import MigrationError
from flowflare.reading.files import UnusableFileError, read_bytes

# wrangler accepts any name that ends in .sql. It generates four digits, an underscore and the
# message, with underscores for spaces (packages/wrangler/src/d1/migrations). Names are quoted in
# SQL and printed, so control characters and slashes are refused.
_NAME = re.compile(r"([0-9]{4})_[^/\\\x00-\x1f\x7f]+\.sql")
_STARTS = (0, 1)


@dataclass(frozen=True)
class Migration:
    """One migration file.

    Attributes:
        name: the file's name, as the ledger stores it.
        sql: its text with line feeds only, because D1 mishandles CR LF inside triggers.
        checksum: SHA-256 of `sql` in hexadecimal.
        windows: whether the file has CR LF line endings.
    """

    name: str
    sql: str
    checksum: str
    windows: bool = field(default=False, compare=False)

    @property
    def number(self) -> int:
        """The number at the beginning of its name."""
        return int(self.name[:4])


def read_migrations(folder: Path) -> tuple[Migration, ...]:
    """Read the migrations of a folder in numeric order.

    Args:
        folder: the folder. Hidden files and files that do not end in `.sql` are ignored.

    Raises:
        MigrationError: the folder is missing, or files have invalid names, duplicate or missing
            numbers, no content, or text that is not UTF-8. All problems are reported at once.
    """
    if not folder.is_dir():
        remedy = "Create the first file: flowflare migrations new create_tables"
        raise MigrationError(f"{folder}: the folder of migrations does not exist", remedy=remedy)
    problems: list[str] = []
    migrations = []
    paths = [path for path in folder.glob("*.sql") if not path.name.startswith(".")]
    for path in sorted(paths, key=lambda path: path.name):
        if not _NAME.fullmatch(path.name):
            problems.append(f"{path.name}: is not named like 0001_create_tables.sql")
            continue
        try:
            migrations.append(_read(path))
        except MigrationError as error:
            migrations.append(make_migration(path.name, ""))
            problems.append(error.message)
    problems += _find_number_problems(migrations)
    if problems:
        remedy = (
            "Number the files 0001, 0002 and so on. Never renumber an applied file: if two files "
            "have the same number, give the file that was not applied the next free number. "
            "See which files were applied: flowflare migrations status"
        )
        raise MigrationError("\n".join(sorted(problems)), remedy=remedy)
    return tuple(migrations)


def make_migration(name: str, text: str) -> Migration:
    """Create a migration from a name and a text."""
    sql = text.replace("\r\n", "\n").replace("\r", "\n")
    checksum = hashlib.sha256(sql.encode("utf-8", "surrogatepass")).hexdigest()
    return Migration(name, sql, checksum, windows="\r\n" in text)


def make_next_name(migrations: Sequence[Migration], words: str) -> str:
    """Return the name of the next file, as wrangler would generate it.

    Args:
        migrations: the existing files.
        words: what the file does; spaces become underscores.

    Raises:
        MigrationError: the words cannot be part of a file's name, or no number is left.
    """
    number = max((file.number for file in migrations), default=0) + 1
    name = f"{number:04d}_{re.sub(r'[ ]+', '_', words.strip())}.sql"
    if not _NAME.fullmatch(name):
        remedy = "Use words like: create_orders"
        raise MigrationError(f"{words!r} cannot be a migration's name", remedy=remedy)
    return name


def _find_number_problems(migrations: Sequence[Migration]) -> list[str]:
    problems = []
    expected = None
    for before, file in zip((None, *migrations), migrations, strict=False):
        if before is None or expected is None:
            expected = file.number if file.number in _STARTS else 1
        if before is not None and file.number == before.number:
            problems.append(f"{file.name}: has the number of {before.name}")
            continue
        if file.number > expected:
            missing = ", ".join(f"{number:04d}" for number in range(expected, file.number)[:5])
            verb = "is" if file.number - expected == 1 else "are"
            problems.append(f"{file.name}: {missing} {verb} missing before it")
        expected = file.number + 1
    return problems


def _read(path: Path) -> Migration:
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnusableFileError as error:
        raise MigrationError(f"{path.name}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise MigrationError(f"{path.name}: is not UTF-8 text") from None
    if "\0" in text:
        raise MigrationError(f"{path.name}: contains a NUL, where SQLite stops reading")
    if not text.strip():
        raise MigrationError(f"{path.name}: is empty")
    return make_migration(path.name, text)
