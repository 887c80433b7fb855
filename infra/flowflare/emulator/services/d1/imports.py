"""Imports of SQL files: where wrangler sends a file before D1 runs it in one transaction."""

import hashlib
from typing import Any

from flowflare.emulator import codes
from flowflare.emulator.clock import plain_id
from flowflare.emulator.runtime.workers import Workers
from flowflare.emulator.services.d1 import queries
from flowflare.emulator.services.d1.statements import split
from flowflare.emulator.services.d1.store import D1Database

_MOST_BYTES = 100_000_000


class Imports:
    """The files that were announced, and those that have come; they are forgotten once they ran.

    Args:
        workers: where the databases are.
    """

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._announced: dict[str, str] = {}
        self._files: dict[str, bytes] = {}

    def announce(self, etag: str) -> str:
        """Says that a file with that MD5 will come; returns the name it shall be sent under."""
        filename = f"{plain_id()}.sql"
        self._announced[filename] = etag
        return filename

    def receive(self, filename: str, content: bytes) -> str | None:
        """Takes a file that was announced; returns its MD5, None for one nobody announced."""
        if filename not in self._announced or len(content) > _MOST_BYTES:
            return None
        self._files[filename] = content
        return hashlib.md5(content).hexdigest()  # noqa: S324 -- the protocol's etag

    async def ingest(self, database: D1Database, filename: str) -> dict[str, Any]:
        """Runs a file that has come; the answer's bookmarks are the caller's to set.

        Raises:
            Refusal: 7400 no such file; 7500 with SQLite's words, and nothing was changed.
        """
        content = self._files.pop(filename, None)
        self._announced.pop(filename, None)
        if content is None:
            raise codes.invalid_property("filename: was not uploaded")
        statements = [queries.Statement(each) for each in split(content.decode())]
        results = await queries.run(self._workers, database.uuid, statements)
        last = results[-1]["meta"]
        totals = ("duration", "changes", "rows_read", "rows_written")
        meta = last | {key: sum(each["meta"][key] for each in results) for key in totals}
        return {
            "success": True,
            "type": "import",
            "status": "complete",
            "messages": [],
            "result": {"num_queries": len(results), "meta": meta},
        }
