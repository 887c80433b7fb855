"""Import SQL files: wrangler uploads a file, and D1 runs it in one transaction."""

import hashlib
from typing import Any

from flowflare.emulator import codes
from flowflare.emulator.clock import plain_id
from flowflare.emulator.runtime.contract import Runtime
from flowflare.emulator.services.d1 import queries
from flowflare.emulator.services.d1.statements import split
from flowflare.emulator.services.d1.store import D1Database

_MAX_BYTES = 100_000_000


class Imports:
    """Hold announced and uploaded files until they have run."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._announced: dict[str, str] = {}
        self._files: dict[str, bytes] = {}

    def announce(self, etag: str) -> str:
        """Announce a file with that MD5. Returns the name to upload it under."""
        filename = f"{plain_id()}.sql"
        self._announced[filename] = etag
        return filename

    def receive(self, filename: str, content: bytes) -> str | None:
        """Store an announced file. Returns its MD5, or None if it was not announced."""
        if filename not in self._announced or len(content) > _MAX_BYTES:
            return None
        self._files[filename] = content
        return hashlib.md5(content).hexdigest()  # noqa: S324 -- the protocol's etag

    async def ingest(self, database: D1Database, filename: str) -> dict[str, Any]:
        """Run an uploaded file. The caller adds the bookmarks to the answer.

        Raises:
            Refusal: 7400 the file was not uploaded; 7500 with SQLite's error, and nothing was
                changed.
        """
        content = self._files.pop(filename, None)
        self._announced.pop(filename, None)
        if content is None:
            raise codes.invalid_property("filename: was not uploaded")
        statements = [queries.Statement(sql) for sql in split(content.decode())]
        results = await queries.run(self._runtime, database.uuid, statements)
        last = results[-1]["meta"]
        totals = ("duration", "changes", "rows_read", "rows_written")
        meta = last | {key: sum(result["meta"][key] for result in results) for key in totals}
        return {
            "success": True,
            "type": "import",
            "status": "complete",
            "messages": [],
            "result": {"num_queries": len(results), "meta": meta},
        }
