"""Time Travel: the moments of databases that can be gone back to, each with the whole content.

A moment is kept whenever a bookmark is asked for, and before and after each write that comes
through the API; what Workers write in between is part of the next moment. Contents are kept once
each, compressed, in the emulator's own file.
"""

import asyncio
import hashlib
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flowflare.emulator import codes
from flowflare.emulator.database import Database
from flowflare.emulator.runtime.workers import Workers
from flowflare.emulator.services.d1 import queries
from flowflare.emulator.services.d1.store import D1Database

_KEPT = timedelta(days=30)
_MOST_UNASKED = 50
# A write through the API is not slowed down by copying a database larger than this.
_LARGEST_UNASKED = 16 * 1024 * 1024
_NOTHING = queries.Statement("SELECT 1")
# Bytes 18 and 19 of SQLite's header say that a file is in WAL mode, which no copy in memory can be.
_MODE, _NO_WAL = slice(18, 20), b"\x01\x01"

_Signature = tuple[tuple[int, int], ...]


class History:
    """The moments of all databases.

    Args:
        database: the emulator's file.
        workers: where the databases are.
    """

    def __init__(self, database: Database, workers: Workers) -> None:
        self._database = database
        self._workers = workers
        self._seen: dict[str, _Signature] = {}

    async def keep(self, found: D1Database, *, asked: bool) -> datetime:
        """Keeps the present content and returns the moment it is of.

        Args:
            found: the database.
            asked: whether somebody asked for the moment; others are few and are not kept of
                large databases.
        """
        path = await self._file(found)
        signature = _signature(path)
        if not asked and (
            self._seen.get(found.uuid) == signature
            or sum(size for _, size in signature) > _LARGEST_UNASKED
        ):
            return datetime.now(UTC)
        content = await asyncio.to_thread(_copy, path)
        time = self._remember(found, content, asked=asked)
        self._seen[found.uuid] = signature
        return time

    async def restore(self, found: D1Database, time: datetime) -> datetime:
        """Puts the content of a moment in the place of the present one; Workers see it at once.

        Args:
            found: the database.
            time: the moment; what is taken is the last one kept until then, or the content as it
                is if nothing was written since.

        Returns:
            the moment before the restoration, by which it can be undone.

        Raises:
            Refusal: 7400 nothing is kept of that time.
        """
        before = await self.keep(found, asked=True)
        row = self._database.row(
            "SELECT content FROM moments JOIN contents USING (database, digest) "
            "WHERE database = ? AND time <= ? ORDER BY time DESC LIMIT 1",
            found.uuid,
            _micros(time),
        )
        if row is None:
            raise codes.invalid_property("timestamp: no history of the database is kept from then")
        path = await self._file(found)
        await asyncio.to_thread(_replace, path, zlib.decompress(row["content"]))
        return before

    async def _file(self, found: D1Database) -> Path:
        path = await self._workers.file_of(found.uuid)
        if not path.exists():
            # workerd makes the file when the database is first used.
            await queries.run(self._workers, found.uuid, [_NOTHING])
        return path

    def _remember(self, found: D1Database, content: bytes, *, asked: bool) -> datetime:
        digest = hashlib.sha256(content).digest()
        now = datetime.now(UTC)
        with self._database.transaction():
            self._database.run(
                "INSERT OR IGNORE INTO contents VALUES (?, ?, ?)",
                found.uuid,
                digest,
                zlib.compress(content, 1),
            )
            self._database.run(
                "INSERT OR REPLACE INTO moments VALUES (?, ?, ?, ?)",
                found.uuid,
                _micros(now),
                digest,
                asked,
            )
            self._forget(found.uuid, now)
        return now

    def _forget(self, uuid: str, now: datetime) -> None:
        self._database.run(
            "DELETE FROM moments WHERE database = ?1 AND (time < ?2 OR (NOT asked AND time NOT IN "
            "(SELECT time FROM moments WHERE database = ?1 AND NOT asked "
            "ORDER BY time DESC LIMIT ?3)))",
            uuid,
            _micros(now - _KEPT),
            _MOST_UNASKED,
        )
        self._database.run(
            "DELETE FROM contents WHERE database = ?1 AND digest NOT IN "
            "(SELECT digest FROM moments WHERE database = ?1)",
            uuid,
        )


def _micros(time: datetime) -> int:
    return (time - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)


def _signature(path: Path) -> _Signature:
    """When the file and its write-ahead log changed last, and how large they are."""
    found = []
    for each in (path, path.with_name(f"{path.name}-wal")):
        try:
            stat = each.stat()
        except FileNotFoundError:
            found.append((0, 0))
        else:
            found.append((stat.st_mtime_ns, stat.st_size))
    return tuple(found)


def _copy(path: Path) -> bytes:
    with _open(path) as live, closing(sqlite3.connect(":memory:")) as copy:
        live.backup(copy)
        return copy.serialize()


def _replace(path: Path, content: bytes) -> None:
    head = bytearray(content)
    head[_MODE] = _NO_WAL
    with _open(path) as live, closing(sqlite3.connect(":memory:")) as copy:
        copy.deserialize(bytes(head))
        copy.backup(live)


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True)) as live:
            yield live
    except sqlite3.Error as error:
        raise codes.internal(f"the database's file: {error}") from None
