"""HTTP for Durable Object namespaces; uploads make and delete them."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from flowflare.emulator.envelope import page_of, success
from flowflare.emulator.requests import account_of, number, operation
from flowflare.emulator.services.scripts.store import ScriptsStore

_NAMESPACES = "/accounts/{account}/workers/durable_objects/namespaces"


class DurableObjectRoutes:
    """The operations below `workers/durable_objects`."""

    def __init__(self, store: ScriptsStore) -> None:
        self._store = store

    def routes(self) -> list[BaseRoute]:
        """The operations this service answers."""
        return [operation("GET", _NAMESPACES, self._list)]

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
