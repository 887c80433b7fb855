"""HTTP for Durable Object namespaces; uploads make and delete them."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from flowflare.emulator import codes
from flowflare.emulator.envelope import page_of, success
from flowflare.emulator.requests import account_of, name_of, number, operation
from flowflare.emulator.runtime.workers import Workers
from flowflare.emulator.services.scripts.store import ScriptsStore

_OBJECTS = 1_000
_NAMESPACES = "/accounts/{account}/workers/durable_objects/namespaces"


class DurableObjectRoutes:
    """The operations below `workers/durable_objects`."""

    def __init__(self, store: ScriptsStore, workers: Workers) -> None:
        self._store = store
        self._workers = workers

    def routes(self) -> list[BaseRoute]:
        """The operations this service answers."""
        return [
            operation("GET", _NAMESPACES, self._list),
            operation("GET", _NAMESPACES + "/{namespace}/objects", self._objects),
        ]

    async def _list(self, request: Request) -> Response:
        found = [
            {
                "id": each.id,
                "name": f"{each.script}_{each.class_name}",
                "class": each.class_name,
                "script": each.script,
                "use_sqlite": each.use_sqlite,
            }
            for each in self._store.ledger(account_of(request)).values()
        ]
        page, per_page = number(request, "page", 1), number(request, "per_page", 100)
        part, info = page_of(found, page=page, per_page=per_page)
        return success(part, info=info)

    async def _objects(self, request: Request) -> Response:
        """The objects in order; the cursor is the last one that was shown."""
        identity = name_of(request, "namespace")
        if all(each.id != identity for each in self._store.ledger(account_of(request)).values()):
            raise codes.namespace_not_found()
        after = request.query_params.get("cursor", "")
        found = [each for each in await self._workers.objects_of(identity) if each > after]
        part = found[: min(number(request, "limit", _OBJECTS), _OBJECTS)]
        cursor = part[-1] if len(part) < len(found) else ""
        info = {"count": len(part), "cursor": cursor, "cursors": {"after": cursor}}
        return success([{"id": each, "hasStoredData": True} for each in part], info=info)
