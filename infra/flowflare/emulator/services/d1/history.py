"""Keep the history of databases for Time Travel: moments with their whole content.

A moment is stored for every requested bookmark, and before and after each write through the API.
What Workers write in between is part of the next moment. Equal contents are stored once,
compressed, in the emulator's own file.
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
from flowflare.emulator.runtime.contract import Runtime
from flowflare.emulator.services.d1 import queries
from flowflare.emulator.services.d1.store import D1Database

_TIME_TO_LIVE = timedelta(days=30)
_MAX_UNREQUESTED = 50
# Larger databases are not copied for a write through the API, which would slow it down.
_MAX_UNREQUESTED_BYTES = 16 * 1024 * 1024
_NOTHING = queries.Statement("SELECT 1")
# Bytes 18 and 19 of SQLite's header mark a file in WAL mode, which a copy in memory cannot use.
_MODE, _NOT_WAL = slice(18, 20), b"\x01\x01"

_Signature = tuple[tuple[int, int], ...]


class History:
    """Store and restore the moments of all databases."""

    def __init__(self, database: Database, runtime: Runtime) -> None:
        self._database = database
        self._runtime = runtime
        self._signatures: dict[str, _Signature] = {}

    async def keep(self, database: D1Database, *, requested: bool) -> datetime:
        """Store the current content and return its moment.

        Args:
            requested: whether a client requested the moment. Only a few other moments are stored,
                and none for large databases.
        """
        path = await self._file(database)
        signature = _signature(path)
        if not requested and (
            self._signatures.get(database.uuid) == signature
            or sum(size for _, size in signature) > _MAX_UNREQUESTED_BYTES
        ):
            return datetime.now(UTC)
        content = await asyncio.to_thread(_copy, path)
        time = self._save(database, content, requested=requested)
        self._signatures[database.uuid] = signature
        return time

    async def restore(self, database: D1Database, time: datetime) -> datetime:
        """Restore the content of a moment, which Workers see at once.

        Args:
            time: the moment. The result is the content that was last stored before it, or the
                current content if nothing was written since.

        Returns:
            the moment before the restoration, which undoes it.

        Raises:
            Refusal: 7400 no content is stored for that time.
        """
        before = await self.keep(database, requested=True)
        row = self._database.row(
            "SELECT content FROM moments JOIN contents USING (database, digest) "
            "WHERE database = ? AND time <= ? ORDER BY time DESC LIMIT 1",
            database.uuid,
            _micros(time),
        )
        if row is None:
            raise codes.invalid_property(
                "timestamp: the database's history does not go back that far"
            )
        path = await self._file(database)
        await asyncio.to_thread(_replace, path, zlib.decompress(row["content"]))
        return before

    async def _file(self, database: D1Database) -> Path:
        path = await self._runtime.file_of(database.uuid)
        if not path.exists():
            # workerd creates the file when the database is first used.
            await queries.run(self._runtime, database, [_NOTHING])
        return path

    def _save(self, database: D1Database, content: bytes, *, requested: bool) -> datetime:
        digest = hashlib.sha256(content).digest()
        now = datetime.now(UTC)
        with self._database.transaction():
            self._database.run(
                "INSERT OR IGNORE INTO contents VALUES (?, ?, ?)",
                database.uuid,
                digest,
                zlib.compress(content, 1),
            )
            self._database.insert(
                "moments", database.uuid, _micros(now), digest, requested, replace=True
            )
            self._forget(database.uuid, now)
        return now

    def _forget(self, uuid: str, now: datetime) -> None:
        self._database.run(
            "DELETE FROM moments WHERE database = ?1 AND (time < ?2 OR (NOT asked AND time NOT IN "
            "(SELECT time FROM moments WHERE database = ?1 AND NOT asked "
            "ORDER BY time DESC LIMIT ?3)))",
            uuid,
            _micros(now - _TIME_TO_LIVE),
            _MAX_UNREQUESTED,
        )
        self._database.run(
            "DELETE FROM contents WHERE database = ?1 AND digest NOT IN "
            "(SELECT digest FROM moments WHERE database = ?1)",
            uuid,
        )


def _micros(time: datetime) -> int:
    return (time - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)


def _signature(path: Path) -> _Signature:
    """Return when the file and its write-ahead log last changed, and their sizes."""
    signature = []
    for file in (path, path.with_name(f"{path.name}-wal")):
        try:
            stat = file.stat()
        except FileNotFoundError:
            signature.append((0, 0))
        else:
            signature.append((stat.st_mtime_ns, stat.st_size))
    return tuple(signature)


def _copy(path: Path) -> bytes:
    with _open(path) as live, closing(sqlite3.connect(":memory:")) as copy:
        live.backup(copy)
        return copy.serialize()


def _replace(path: Path, content: bytes) -> None:
    head = bytearray(content)
    head[_MODE] = _NOT_WAL
    with _open(path) as live, closing(sqlite3.connect(":memory:")) as copy:
        copy.deserialize(bytes(head))
        copy.backup(live)


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True)) as live:
            yield live
    except sqlite3.Error as error:
        raise codes.internal(f"the database's file cannot be used: {error}") from None
