"""Import SQL files: a client uploads a file, and polls while D1 runs it in one transaction."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from flowflare.emulator import codes
from flowflare.emulator.clock import plain_id
from flowflare.emulator.envelope import Refusal
from flowflare.emulator.runtime.contract import Runtime
from flowflare.emulator.services.d1 import queries
from flowflare.emulator.services.d1.statements import split
from flowflare.emulator.services.d1.store import D1Database
from flowflare.errors import EmulatorError

_MAX_BYTES = 100_000_000
_POLL_SECONDS = 0.5
_NOTHING = "Not currently importing anything."


@dataclass(frozen=True)
class _Import:
    bookmark: str
    task: asyncio.Task[dict[str, Any]]


class Imports:
    """Hold announced and uploaded files until they have run, and the last import of a database."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._announced: dict[str, str] = {}
        self._files: dict[str, bytes] = {}
        self._imports: dict[str, _Import] = {}

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

    def ingest(
        self,
        database: D1Database,
        filename: str,
        at: str,
        finish: Callable[[], Awaitable[str]],
    ) -> dict[str, Any]:
        """Start to run an uploaded file, and answer that it runs.

        Args:
            at: the bookmark to poll with.
            finish: returns the database's bookmark after the import.

        Raises:
            Refusal: 7400 the file was not uploaded; 7500 another import is running (our reading).
        """
        running = self._imports.get(database.uuid)
        if running is not None and not running.task.done():
            raise codes.query_failed("Currently processing a long-running import.")
        content = self._files.pop(filename, None)
        self._announced.pop(filename, None)
        if content is None:
            raise codes.invalid_property("filename: was not uploaded")
        task = asyncio.create_task(self._run(database, content, finish))
        self._imports[database.uuid] = _Import(at, task)
        return _answer(at)

    async def poll(self, database: D1Database, at: str) -> dict[str, Any]:
        """Answer how the import with that bookmark is getting on.

        Cloudflare's tutorial on importing by REST shows the answer to a client that polls for
        nothing; wrangler's `pollUntilComplete` shows the others.
        """
        found = self._imports.get(database.uuid)
        if found is None or found.bookmark != at:
            return {"success": False, "type": "import", "error": _NOTHING, "messages": []}
        done, _ = await asyncio.wait([found.task], timeout=_POLL_SECONDS)
        return _answer(at) | (found.task.result() if done else {})

    async def _run(
        self, database: D1Database, content: bytes, finish: Callable[[], Awaitable[str]]
    ) -> dict[str, Any]:
        """Run a file, and return what the answer to a poll says of it."""
        try:
            statements = [queries.Statement(sql) for sql in split(content.decode())]
            if not statements:
                return _failure("No SQL statements detected.")
            results = await queries.run(self._runtime, database, statements)
        except UnicodeDecodeError:
            return _failure("The file is not UTF-8.")
        except Refusal as refusal:
            return _failure(refusal.problems[0].message)
        except EmulatorError as error:
            return _failure(str(error))
        last = results[-1]["meta"]
        totals = ("duration", "changes", "rows_read", "rows_written")
        meta = last | {key: sum(result["meta"][key] for result in results) for key in totals}
        result = {"num_queries": len(results), "final_bookmark": await finish(), "meta": meta}
        return {"status": "complete", "result": result}


def _answer(at: str) -> dict[str, Any]:
    # The SDKs know only the statuses `complete` and `error`, so a running import has none.
    return {"success": True, "type": "import", "at_bookmark": at, "messages": []}


def _failure(error: str) -> dict[str, Any]:
    return {"success": False, "status": "error", "error": error, "errors": [error]}
