"""Serve the operations on D1 databases."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from flowflare.emulator import codes
from flowflare.emulator.envelope import success
from flowflare.emulator.requests import account_of, answer_page, json_object, name_of, operation
from flowflare.emulator.runtime.contract import Deletions, Runtime
from flowflare.emulator.services.d1 import queries
from flowflare.emulator.services.d1.bookmarks import bookmark, read_moment, time_of
from flowflare.emulator.services.d1.exports import Exports
from flowflare.emulator.services.d1.history import History
from flowflare.emulator.services.d1.imports import Imports
from flowflare.emulator.services.d1.store import D1Database, D1Store

_ALL = "/accounts/{account}/d1/database"
_ONE = _ALL + "/{database}"
_UPLOADS = "/emulator/uploads"
_EXPORTS = "/emulator/exports"


class D1Routes:
    """Serve the operations below `d1/database`."""

    def __init__(self, store: D1Store, runtime: Runtime, history: History) -> None:
        self._store = store
        self._runtime = runtime
        self._history = history
        self._imports = Imports(runtime)
        self._exports = Exports(runtime)

    def routes(self) -> list[BaseRoute]:
        """List the operations of this service."""
        return [
            operation("POST", _ALL, self._create),
            operation("GET", _ALL, self._list),
            operation("GET", _ONE, self._get),
            operation("PUT", _ONE, self._update),
            operation("PATCH", _ONE, self._update),
            operation("DELETE", _ONE, self._delete),
            operation("POST", _ONE + "/query", self._query),
            operation("POST", _ONE + "/raw", self._raw),
            operation("GET", _ONE + "/time_travel/bookmark", self._bookmark),
            operation("POST", _ONE + "/time_travel/restore", self._restore),
            operation("POST", _ONE + "/import", self._import),
            operation("POST", _ONE + "/export", self._export),
            Route(_UPLOADS + "/{filename}", self._receive, methods=["PUT"]),
            Route(_EXPORTS + "/{filename}", self._fetch, methods=["GET"]),
        ]

    async def _create(self, request: Request) -> Response:
        database = self._store.create(account_of(request), await json_object(request))
        return success(await self._full(database))

    async def _list(self, request: Request) -> Response:
        name = request.query_params.get("name")
        databases = [
            _brief(database) for database in self._store.list_databases(account_of(request), name)
        ]
        return answer_page(request, databases)

    async def _get(self, request: Request) -> Response:
        view = await self._full(self._find(request))
        fields = request.query_params.get("fields")
        if fields:
            wanted = set(fields.split(","))
            view = {key: value for key, value in view.items() if key in wanted}
        return success(view)

    async def _update(self, request: Request) -> Response:
        asked = await json_object(request)
        if "read_replication" not in asked:
            if request.method == "PATCH":
                raise codes.query_failed("read_replication: Required")
            return success(await self._full(self._find(request)))
        changed = self._store.set_replication(
            account_of(request), name_of(request, "database"), asked
        )
        return success(await self._full(changed))

    async def _delete(self, request: Request) -> Response:
        account = account_of(request)
        deleted = self._store.delete(account, name_of(request, "database"))
        await self._runtime.publish(account, Deletions(databases=(deleted.uuid,)))
        return success(None)

    async def _query(self, request: Request) -> Response:
        return success([queries.as_objects(result) for result in await self._run(request)])

    async def _raw(self, request: Request) -> Response:
        return success(await self._run(request))

    async def _run(self, request: Request) -> list[dict[str, Any]]:
        database = self._find(request)
        statements = queries.statements_of(await json_object(request))
        if all(statement.only_reads for statement in statements):
            return await queries.run(self._runtime, database.uuid, statements)
        await self._history.keep(database, requested=False)
        results = await queries.run(self._runtime, database.uuid, statements)
        await self._history.keep(database, requested=False)
        return results

    async def _bookmark(self, request: Request) -> Response:
        database = self._find(request)
        given = request.query_params.get("timestamp")
        time = read_moment(given) if given else await self._history.keep(database, requested=True)
        return success({"bookmark": bookmark(database, time)})

    async def _restore(self, request: Request) -> Response:
        database = self._find(request)
        mark, time = (request.query_params.get(key) for key in ("bookmark", "timestamp"))
        if not mark and not time:
            raise codes.invalid_property("bookmark or timestamp: Required")
        target = time_of(database, mark) if mark else read_moment(time)
        wanted = bookmark(database, target)
        before = bookmark(database, await self._history.restore(database, target))
        after = bookmark(database, await self._history.keep(database, requested=True))
        message = f"Restored to {mark or wanted}. To undo this, restore to {before}."
        return success({"bookmark": after, "previous_bookmark": before, "message": message})

    async def _import(self, request: Request) -> Response:
        database, asked = self._find(request), await json_object(request)
        action, etag, filename = (str(asked.get(key)) for key in ("action", "etag", "filename"))
        if action == "init":
            filename = self._imports.announce(etag)
            url = request.url.replace(path=f"{_UPLOADS}/{filename}", query="")
            return success({"upload_url": str(url), "filename": filename})
        if action == "ingest":
            await self._history.keep(database, requested=False)
            answer = await self._imports.ingest(database, filename)
            at = bookmark(database, await self._history.keep(database, requested=True))
            answer["result"]["final_bookmark"] = answer["at_bookmark"] = at
            return success(answer)
        # Imports are complete when `ingest` is answered, so clients never need to poll.
        raise codes.invalid_property(f"action: Invalid enum value: '{action}'")

    async def _receive(self, request: Request) -> Response:
        name = name_of(request, "filename")
        etag = self._imports.receive(name, await request.body())
        return Response(status_code=404) if etag is None else Response(headers={"etag": etag})

    async def _export(self, request: Request) -> Response:
        database, asked = self._find(request), await json_object(request)
        mark = asked.get("current_bookmark")
        answer: dict[str, Any] = {"success": True, "type": "export", "messages": []}
        if not mark:
            at = bookmark(database, await self._history.keep(database, requested=True))
            self._exports.request(at, asked)
            return success({**answer, "status": "active", "at_bookmark": at})
        name = await self._exports.make(database, str(mark))
        url = str(request.url.replace(path=f"{_EXPORTS}/{name}", query=""))
        result = {"filename": name, "signed_url": url}
        return success({**answer, "status": "complete", "at_bookmark": mark, "result": result})

    async def _fetch(self, request: Request) -> Response:
        text = self._exports.fetch(name_of(request, "filename"))
        if text is None:
            return Response(status_code=404)
        return Response(text, media_type="application/sql")

    def _find(self, request: Request) -> D1Database:
        return self._store.get(account_of(request), name_of(request, "database"))

    async def _full(self, database: D1Database) -> dict[str, Any]:
        view = _brief(database) | await queries.measure(self._runtime, database.uuid)
        view["read_replication"] = {"mode": database.replication}
        if database.region:
            view["created_in_region"] = database.region.upper()
        return view


def _brief(database: D1Database) -> dict[str, Any]:
    view = {
        "uuid": database.uuid,
        "name": database.name,
        "version": "production",
        "created_at": database.created_at,
    }
    return view | ({"jurisdiction": database.jurisdiction} if database.jurisdiction else {})
