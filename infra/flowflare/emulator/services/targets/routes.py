"""Serve the targets of bindings: create, list, show and delete them, in the same way for all kinds.

Rooms beside this one serve the contents of KV namespaces and R2 buckets.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from flowflare.emulator.envelope import success
from flowflare.emulator.requests import answer_page, json_object, operation
from flowflare.emulator.runtime.contract import Deletions, Runtime
from flowflare.emulator.services.consumers.routes import view_consumer
from flowflare.emulator.services.consumers.store import ConsumersStore
from flowflare.emulator.services.targets.kinds import KINDS
from flowflare.emulator.services.targets.store import TargetsStore
from flowflare.emulator.services.targets.target import (
    Target,
    TargetKind,
    Update,
    Uses,
    pop_name,
)


class TargetRoutes:
    """Serve the operations of all `KINDS`."""

    def __init__(self, store: TargetsStore, consumers: ConsumersStore, runtime: Runtime) -> None:
        self._store = store
        self._consumers = consumers
        self._runtime = runtime

    def routes(self) -> list[BaseRoute]:
        """List the operations of this service."""
        return [route for kind in KINDS for route in self._list_operations(kind)]

    def _list_operations(self, kind: TargetKind) -> Sequence[BaseRoute]:
        path = "/accounts/{account}" + kind.path
        target_path = path + "/{target}"
        return [
            *(
                operation(method, target_path, partial(self._update, kind, update))
                for method, update in kind.updates.items()
            ),
            operation("GET", path, partial(self._list, kind)),
            operation("POST", path, partial(self._create, kind)),
            operation("GET", target_path, partial(self._get, kind)),
            operation("DELETE", target_path, partial(self._delete, kind)),
        ]

    async def _list(self, kind: TargetKind, request: Request, account: str) -> Response:
        names = request.query_params.getlist("name") if kind.found_by_name else []
        targets = [
            self.view(kind, target)
            for target in self._store.list_targets(account, kind)
            if (not names or target.name in names) and kind.is_visible(target, request.headers)
        ]
        return answer_page(request, targets, listed=kind.listed)

    async def _create(self, kind: TargetKind, request: Request, account: str) -> Response:
        asked = await json_object(request)
        name = pop_name(asked, kind.title)
        record = kind.create(asked, request.headers)
        created = self._store.create(account, kind, name, record)
        await self._configure(kind, created)
        return success(self.view(kind, created))

    async def _update(
        self, kind: TargetKind, update: Update, request: Request, account: str, target: str
    ) -> Response:
        self._find(kind, request, account, target)
        body = await json_object(request) if await request.body() else {}
        updated = self._store.update(
            account, kind, target, lambda before: update(before, body, request.headers)
        )
        await self._configure(kind, updated)
        await self._runtime.publish(account)
        return success(self.view(kind, updated))

    async def _get(self, kind: TargetKind, request: Request, account: str, target: str) -> Response:
        return success(self.view(kind, self._find(kind, request, account, target)))

    async def _delete(
        self, kind: TargetKind, request: Request, account: str, target: str
    ) -> Response:
        found = self._find(kind, request, account, target)
        if kind.not_empty and (await self._runtime.measure_bucket(found.key))["objects"]:
            raise kind.not_empty(name=found.name, account=account)
        deleted = self._store.delete(account, kind, target)
        await self._runtime.publish(account, Deletions(targets=(deleted.key,)))
        return success(kind.deleted)

    def _find(self, kind: TargetKind, request: Request, account: str, target: str) -> Target:
        found = self._store.get(account, kind, target)
        if not kind.is_visible(found, request.headers):
            raise kind.missing()
        return found

    async def _configure(self, kind: TargetKind, target: Target) -> None:
        if kind.queue_settings:
            settings = {target.key: kind.queue_settings(target)}
            await self._runtime.queue("queues", settings=settings)

    def view(self, kind: TargetKind, target: Target) -> dict[str, Any]:
        """Render a target for answers."""
        return kind.view(target, lambda: self._read_uses(kind, target))

    def _read_uses(self, kind: TargetKind, target: Target) -> Uses:
        consumers = self._consumers.list_consumers(target.account, target.id)
        return Uses(
            self._store.list_bound_scripts(kind, target),
            [view_consumer(consumer) for consumer in consumers],
        )
