"""Serve the operations on D1 databases."""

from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from flowflare.emulator import codes
from flowflare.emulator.envelope import success
from flowflare.emulator.requests import (
    Service,
    answer_page,
    json_object,
    refuse_if_deleted,
    serves,
)
from flowflare.emulator.runtime.contract import Deletions, Runtime
from flowflare.emulator.services.d1 import queries
from flowflare.emulator.services.d1.bookmarks import bookmark, read_moment, time_of
from flowflare.emulator.services.d1.exports import Exports
from flowflare.emulator.services.d1.history import History
from flowflare.emulator.services.d1.imports import Imports
from flowflare.emulator.services.d1.store import D1Database, D1Store

_ALL = "/accounts/{account}/d1/database"
_ONE = _ALL + "/{identity}"
_UPLOADS = "/emulator/uploads"
_EXPORTS = "/emulator/exports"


class D1Routes(Service[D1Store]):
    """Serve the operations below `d1/database`."""

    def __init__(self, store: D1Store, runtime: Runtime, history: History) -> None:
        super().__init__(store, runtime)
        self._history = history
        self._imports = Imports(runtime)
        self._exports = Exports(runtime)

    @serves("POST", _ALL)
    async def _create(self, request: Request, account: str) -> Response:
        database = self._store.create(account, await json_object(request))
        return success(await self._full(database))

    @serves("GET", _ALL)
    async def _list(self, request: Request, account: str) -> Response:
        name = request.query_params.get("name")
        databases = [_brief(database) for database in self._store.list_databases(account, name)]
        return answer_page(request, databases)

    @serves("GET", _ONE)
    async def _get(self, request: Request, account: str, identity: str) -> Response:
        view = await self._full(self._store.get(account, identity))
        fields = request.query_params.get("fields")
        if fields:
            wanted = set(fields.split(","))
            view = {key: value for key, value in view.items() if key in wanted}
        return success(view)

    @serves("PUT", _ONE)
    @serves("PATCH", _ONE)
    async def _update(self, request: Request, account: str, identity: str) -> Response:
        asked = await json_object(request)
        if "read_replication" not in asked:
            if request.method == "PATCH":
                raise codes.query_failed("read_replication: Required")
            return success(await self._full(self._store.get(account, identity)))
        changed = self._store.set_replication(account, identity, asked)
        return success(await self._full(changed))

    @serves("DELETE", _ONE)
    async def _delete(self, _: Request, account: str, identity: str) -> Response:
        deleted = self._store.delete(account, identity)
        await self._runtime.publish(account, Deletions(databases=(deleted.uuid,)))
        return success(None)

    @serves("POST", _ONE + "/query")
    async def _query(self, request: Request, account: str, identity: str) -> Response:
        results = await self._run(request, account, identity)
        return success([queries.as_objects(result) for result in results])

    @serves("POST", _ONE + "/raw")
    async def _raw(self, request: Request, account: str, identity: str) -> Response:
        return success(await self._run(request, account, identity))

    async def _run(self, request: Request, account: str, identity: str) -> list[dict[str, Any]]:
        database = self._store.get(account, identity)
        statements = queries.statements_of(await json_object(request))
        with self._while_exists(database):
            if all(statement.only_reads for statement in statements):
                return await queries.run(self._runtime, database, statements)
            await self._history.keep(database, requested=False)
            results = await queries.run(self._runtime, database, statements)
            await self._history.keep(database, requested=False)
        return results

    def _while_exists(self, database: D1Database) -> AbstractContextManager[None]:
        """Refuse with 7404 if the database is deleted while the block uses it."""
        return refuse_if_deleted(partial(self._store.get, database.account, database.uuid))

    @serves("GET", _ONE + "/time_travel/bookmark")
    async def _bookmark(self, request: Request, account: str, identity: str) -> Response:
        database = self._store.get(account, identity)
        given = request.query_params.get("timestamp")
        if given:
            return success({"bookmark": bookmark(database, read_moment(given))})
        return success({"bookmark": await self._keep(database)})

    @serves("POST", _ONE + "/time_travel/restore")
    async def _restore(self, request: Request, account: str, identity: str) -> Response:
        database = self._store.get(account, identity)
        mark, time = (request.query_params.get(key) for key in ("bookmark", "timestamp"))
        if not mark and not time:
            raise codes.invalid_property("bookmark or timestamp: Required")
        target = time_of(database, mark) if mark else read_moment(time)
        wanted = bookmark(database, target)
        with self._while_exists(database):
            before = bookmark(database, await self._history.restore(database, target))
        after = await self._keep(database)
        message = f"Restored to {mark or wanted}. To undo this, restore to {before}."
        return success({"bookmark": after, "previous_bookmark": before, "message": message})

    @serves("POST", _ONE + "/import")
    async def _import(self, request: Request, account: str, identity: str) -> Response:
        database, asked = self._store.get(account, identity), await json_object(request)
        action, etag, filename = (str(asked.get(key)) for key in ("action", "etag", "filename"))
        if action == "init":
            filename = self._imports.announce(etag)
            url = request.url.replace(path=f"{_UPLOADS}/{filename}", query="")
            return success({"upload_url": str(url), "filename": filename})
        if action == "ingest":
            with self._while_exists(database):
                await self._history.keep(database, requested=False)
            at = await self._keep(database)
            finish = partial(self._keep, database)
            return success(self._imports.ingest(database, filename, at, finish))
        if action == "poll":
            at = str(asked.get("current_bookmark"))
            return success(await self._imports.poll(database, at))
        raise codes.invalid_property(f"action: Invalid enum value: '{action}'")

    async def _keep(self, database: D1Database) -> str:
        with self._while_exists(database):
            return bookmark(database, await self._history.keep(database, requested=True))

    @serves("PUT", _UPLOADS + "/{filename}")
    async def _receive(self, request: Request, filename: str) -> Response:
        etag = self._imports.receive(filename, await request.body())
        return Response(status_code=404) if etag is None else Response(headers={"etag": etag})

    @serves("POST", _ONE + "/export")
    async def _export(self, request: Request, account: str, identity: str) -> Response:
        database, asked = self._store.get(account, identity), await json_object(request)
        mark = asked.get("current_bookmark")
        answer: dict[str, Any] = {"success": True, "type": "export", "messages": []}
        if not mark:
            at = await self._keep(database)
            self._exports.request(at, asked)
            # The SDKs know only the statuses `complete` and `error`.
            return success({**answer, "at_bookmark": at})
        with self._while_exists(database):
            name = await self._exports.make(database, str(mark))
        url = str(request.url.replace(path=f"{_EXPORTS}/{name}", query=""))
        result = {"filename": name, "signed_url": url}
        return success({**answer, "status": "complete", "at_bookmark": mark, "result": result})

    @serves("GET", _EXPORTS + "/{filename}")
    async def _fetch(self, _: Request, filename: str) -> Response:
        text = self._exports.fetch(filename)
        if text is None:
            return Response(status_code=404)
        return Response(text, media_type="application/sql")

    async def _full(self, database: D1Database) -> dict[str, Any]:
        with self._while_exists(database):
            view = _brief(database) | await queries.measure(self._runtime, database)
        view["read_replication"] = {"mode": database.replication}
        view["created_in_region"] = database.served_by_region
        return view


def _brief(database: D1Database) -> dict[str, Any]:
    view = {
        "uuid": database.uuid,
        "name": database.name,
        "version": "production",
        "created_at": database.created_at,
    }
    return view | ({"jurisdiction": database.jurisdiction} if database.jurisdiction else {})
