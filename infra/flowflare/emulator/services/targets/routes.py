"""HTTP for what bindings point to: made, listed, shown and deleted, all kinds alike.

Their contents are reached by the Workers that are bound to them; no operation of the API reads or
writes what is inside.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from flowflare.emulator import codes
from flowflare.emulator.envelope import page_of, success
from flowflare.emulator.requests import account_of, json_object, name_of, number, operation
from flowflare.emulator.runtime.workers import Gone, Workers
from flowflare.emulator.services.targets.kinds import KINDS, Kind, Target
from flowflare.emulator.services.targets.store import TargetsStore


class TargetRoutes:
    """The operations of KV namespaces, R2 buckets, queues, Hyperdrive and Vectorize."""

    def __init__(self, store: TargetsStore, workers: Workers) -> None:
        self._store = store
        self._workers = workers

    def routes(self) -> list[BaseRoute]:
        """The operations this service answers."""
        return [route for kind in KINDS for route in self._of(kind)]

    def _of(self, kind: Kind) -> Sequence[BaseRoute]:
        path = "/accounts/{account}" + kind.path
        one = path + "/{target}"
        return [
            operation("GET", path, partial(self._list, kind)),
            operation("POST", path, partial(self._create, kind)),
            operation("GET", one, partial(self._get, kind)),
            operation("DELETE", one, partial(self._delete, kind)),
        ]

    async def _list(self, kind: Kind, request: Request) -> Response:
        found = [self._view(kind, each) for each in self._store.of(account_of(request), kind)]
        page, per_page = number(request, "page", 1), number(request, "per_page", 100)
        part, info = page_of(found, page=page, per_page=per_page)
        return success({kind.listed: part} if kind.listed else part, info=info)

    async def _create(self, kind: Kind, request: Request) -> Response:
        account, asked = account_of(request), await json_object(request)
        name = asked.pop(kind.title, None)
        if not isinstance(name, str) or not name:
            raise codes.invalid_body(f"`{kind.title}` must be a name.")
        return success(self._view(kind, self._store.create(account, kind, name, asked)))

    async def _get(self, kind: Kind, request: Request) -> Response:
        found = self._store.get(account_of(request), kind, name_of(request, "target"))
        return success(self._view(kind, found))

    async def _delete(self, kind: Kind, request: Request) -> Response:
        account = account_of(request)
        gone = self._store.delete(account, kind, name_of(request, "target"))
        await self._workers.publish(account, Gone(targets=(gone.key,)))
        return success(None)

    def _view(self, kind: Kind, target: Target) -> dict[str, Any]:
        return kind.view(target, self._store.bound(target) if kind.name == "queue" else [])
