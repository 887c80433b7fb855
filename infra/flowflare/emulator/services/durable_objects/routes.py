"""Serve Durable Object namespaces, read-only; uploads create and delete them."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from flowflare.emulator import codes
from flowflare.emulator.envelope import success
from flowflare.emulator.requests import account_of, answer_page, name_of, number, operation
from flowflare.emulator.runtime.contract import Runtime
from flowflare.emulator.services.scripts.store import ScriptsStore

_OBJECTS = 1_000
_NAMESPACES = "/accounts/{account}/workers/durable_objects/namespaces"


class DurableObjectRoutes:
    """Serve the operations below `workers/durable_objects`."""

    def __init__(self, store: ScriptsStore, runtime: Runtime) -> None:
        self._store = store
        self._runtime = runtime

    def routes(self) -> list[BaseRoute]:
        """List the operations of this service."""
        return [
            operation("GET", _NAMESPACES, self._list),
            operation("GET", _NAMESPACES + "/{namespace}/objects", self._list_objects),
        ]

    async def _list(self, request: Request) -> Response:
        namespaces = [
            {
                "id": namespace.id,
                "name": f"{namespace.script}_{namespace.class_name}",
                "class": namespace.class_name,
                "script": namespace.script,
                "use_sqlite": namespace.use_sqlite,
            }
            for namespace in self._store.ledger(account_of(request)).values()
        ]
        return answer_page(request, namespaces)

    async def _list_objects(self, request: Request) -> Response:
        """List the objects in order. The cursor is the last object of a page."""
        identity = name_of(request, "namespace")
        if all(
            namespace.id != identity
            for namespace in self._store.ledger(account_of(request)).values()
        ):
            raise codes.namespace_not_found()
        after = request.query_params.get("cursor", "")
        objects = [name for name in await self._runtime.objects_of(identity) if name > after]
        part = objects[: min(number(request, "limit", _OBJECTS), _OBJECTS)]
        cursor = part[-1] if len(part) < len(objects) else ""
        info = {"count": len(part), "cursor": cursor, "cursors": {"after": cursor}}
        return success([{"id": name, "hasStoredData": True} for name in part], info=info)
