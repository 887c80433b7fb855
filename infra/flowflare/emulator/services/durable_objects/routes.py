"""Serve Durable Object namespaces, read-only; uploads create and delete them."""

from starlette.requests import Request
from starlette.responses import Response

from flowflare.emulator import class_codes
from flowflare.emulator.envelope import success
from flowflare.emulator.requests import Service, answer_page, number, serves
from flowflare.emulator.services.scripts.store import ScriptsStore

_OBJECTS = 1_000
_NAMESPACES = "/accounts/{account}/workers/durable_objects/namespaces"


class DurableObjectRoutes(Service[ScriptsStore]):
    """Serve the operations below `workers/durable_objects`."""

    @serves("GET", _NAMESPACES)
    async def _list(self, request: Request, account: str) -> Response:
        namespaces = [
            {
                "id": namespace.id,
                "name": f"{namespace.script}_{namespace.class_name}",
                "class": namespace.class_name,
                "script": namespace.script,
                "use_sqlite": namespace.use_sqlite,
            }
            for namespace in self._store.ledger(account).values()
        ]
        return answer_page(request, namespaces)

    @serves("GET", _NAMESPACES + "/{identity}/objects")
    async def _list_objects(self, request: Request, account: str, identity: str) -> Response:
        """List the objects in order. The cursor is the last object of a page."""
        if all(namespace.id != identity for namespace in self._store.ledger(account).values()):
            raise class_codes.namespace_not_found()
        after = request.query_params.get("cursor", "")
        objects = [name for name in await self._runtime.objects_of(identity) if name > after]
        part = objects[: min(number(request, "limit", _OBJECTS), _OBJECTS)]
        cursor = part[-1] if len(part) < len(objects) else ""
        info = {"count": len(part), "cursor": cursor, "cursors": {"after": cursor}}
        return success([{"id": name, "hasStoredData": True} for name in part], info=info)
