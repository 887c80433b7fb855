"""Read a folder of D1 migrations as wrangler does: which files count, and in which order.

Source: packages/wrangler/src/d1/migrations/helpers.ts of cloudflare/workers-sdk.
"""

import hashlib
import math
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from flowflare.errors import MigrationError
from flowflare.migrations.accepts import strip_accepts
from flowflare.migrations.patterns import compile_pattern, list_matching
from flowflare.reading.files import UnusableFileError, read_bytes

#: The file in each folder of drizzle-kit and Prisma, which wrangler reads with
#: `migrations_pattern: <folder>/*/migration.sql`.
NESTED: Final = "migration.sql"
# Names are quoted in SQL and printed.
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f]")
_NUMBER: Final = re.compile(r"\s*[+-]?[0-9]+")
_DIGITS: Final = re.compile(r"[0-9]+")
# Dates and times that files are named after, longest first.
_DATES: Final = (
    (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])"), "%Y-%m-%d"),
    (re.compile(r"[0-9]{4}_[0-9]{2}_[0-9]{2}(?![0-9])"), "%Y_%m_%d"),
    (re.compile(r"(?:19|20)[0-9]{12}(?![0-9])"), "%Y%m%d%H%M%S"),
    (re.compile(r"(?:19|20)[0-9]{10}(?![0-9])"), "%Y%m%d%H%M"),
    (re.compile(r"(?:19|20)[0-9]{6}(?![0-9])"), "%Y%m%d"),
)


@dataclass(frozen=True)
class Migration:
    """One migration file.

    Attributes:
        name: the file's name, as the ledger stores it; `NAME/migration.sql` for a nested file.
        sql: its text with line feeds only, because D1 mishandles CR LF inside triggers.
        checksum: SHA-256 of `sql` in hexadecimal, without the comments that accept findings.
        digest: SHA-256 of the whole `sql`; the checksum in states and ledgers of release 0.1.
        windows: whether the file has CR LF line endings.
    """

    name: str
    sql: str
    checksum: str
    digest: str = field(default="", compare=False)
    windows: bool = field(default=False, compare=False)

    def has_checksum(self, stored: str | None) -> bool:
        """Return whether a stored checksum, of this or an earlier release, matches the text."""
        return stored in (self.checksum, self.digest)


def read_migrations(folder: Path, pattern: str | None = None) -> tuple[Migration, ...]:
    """Read the migrations of a folder in wrangler's order.

    Args:
        folder: the folder. Hidden files are ignored.
        pattern: which files are read, by their path in the folder, as in `migrations_pattern` of
            wrangler; by default `.sql` files, and if there are none, the `migration.sql` of each
            subfolder.

    Raises:
        MigrationError: the folder is missing, or files have names that cannot be printed or
            contain something other than text. All problems are reported at once.
    """
    if not folder.is_dir():
        remedy = "Create the first file: flowflare migrations new create_tables"
        raise MigrationError(f"{folder}: the folder of migrations does not exist", remedy=remedy)
    problems: list[str] = []
    migrations = []
    names = list_matching(folder, compile_pattern(pattern)) if pattern else _list_names(folder)
    for name in sorted(names, key=order_key):
        if _UNPRINTABLE.search(name):
            problems.append(f"{name!r}: has a character that cannot be printed in its name")
            continue
        try:
            migrations.append(make_migration(name, _read(folder / name, name)))
        except MigrationError as error:
            problems.append(error.message)
    if problems:
        raise MigrationError("\n".join(problems), remedy="Correct the files, or remove them.")
    return tuple(migrations)


def make_migration(name: str, text: str) -> Migration:
    """Create a migration from a name and a string."""
    sql = text.replace("\r\n", "\n").replace("\r", "\n")
    checksum, digest = (
        hashlib.sha256(part.encode("utf-8", "surrogatepass")).hexdigest()
        for part in (strip_accepts(sql), sql)
    )
    return Migration(name, sql, checksum, digest, windows="\r\n" in text)


def order_key(name: str) -> tuple[tuple[float, bytes], ...]:
    """Return the key that sorts names as wrangler does.

    Path parts are compared by their leading number, with parts without a number last, then by their
    text in UTF-16 units, as in JavaScript.
    """
    keys = []
    for part in name.split("/"):
        number = _NUMBER.match(part)
        text = part.encode("utf-16-be", "surrogatepass")
        keys.append((float(number.group()) if number else math.inf, text))
    return tuple(keys)


def read_number(name: str) -> str | None:
    """Return the digits that a name begins with; None if there are none, or for a date."""
    if any(date.match(name) for date, _ in _DATES[:2]):
        return None
    digits = _DIGITS.match(name)
    return digits.group() if digits else None


def find_named(names: Sequence[str], given: str) -> list[str]:
    """Find names by a whole name, the folder of a nested file, or the number of a name."""
    return [name for name in names if given in (name, name.split("/")[0], read_number(name))]


def make_next_name(migrations: Sequence[Migration], words: str, now: datetime) -> str:
    """Return the name of the next file, in the style of the last file, or in wrangler's.

    Args:
        migrations: the existing files, in order.
        words: what the file does; spaces become underscores, or hyphens in a folder with hyphens.
        now: the time, for folders whose files are named after dates.

    Raises:
        MigrationError: the words cannot be part of a file's name, or no new name would sort last.
    """
    names = [file.name for file in migrations]
    last = next((name for name in reversed(names) if _DIGITS.match(name)), "0000_")
    start, number = _make_start(last, names, now)
    after = last[len(start) : len(start) + 1]
    between = after if after in ("-", "_") else "_"
    name = f"{number}{between}{re.sub(r'[ ]+', between, words.strip())}"
    if not words.strip() or "/" in name or "\\" in name or _UNPRINTABLE.search(name):
        remedy = "Use words like: create_orders"
        raise MigrationError(f"{words!r} cannot be a migration's name", remedy=remedy)
    name += f"/{NESTED}" if names and "/" in names[-1] else ".sql"
    if names and order_key(name) <= order_key(names[-1]):
        raise MigrationError(
            f"{name}: would be applied before {names[-1]}",
            remedy="Create the file yourself, with a name that sorts after it.",
        )
    return name


def _make_start(last: str, names: Sequence[str], now: datetime) -> tuple[str, str]:
    """Return the number or date that a name begins with, and the next one in the same form."""
    for date, form in _DATES:
        if found := date.match(last):
            return found.group(), now.strftime(form)
    found = _DIGITS.match(last)
    assert found is not None
    highest = max(
        (int(digits.group()) for digits in map(_DIGITS.match, names) if digits), default=0
    )
    return found.group(), f"{highest + 1:0{len(found.group())}d}"


def _list_names(folder: Path) -> Iterator[str]:
    flat = [entry.name for entry in os.scandir(folder) if entry.name.endswith(".sql")]
    flat = [name for name in flat if name[0] != "." and not (folder / name).is_dir()]
    if flat:
        yield from flat
        return
    for entry in os.scandir(folder):
        # wrangler does not follow links either.
        if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
            file = Path(entry.path, NESTED)
            if file.is_file() and not file.is_symlink():
                yield f"{entry.name}/{NESTED}"


def _read(path: Path, name: str) -> str:
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnusableFileError as error:
        raise MigrationError(f"{name}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise MigrationError(f"{name}: is not UTF-8 text") from None
    if "\0" in text:
        raise MigrationError(f"{name}: contains a NUL, where SQLite stops reading")
    return text
