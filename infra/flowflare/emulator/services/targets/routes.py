"""Serve the targets of bindings: create, list, show and delete them, in the same way for all kinds.

Only the Workers bound to a target access its contents. No operation of the API reads or writes
them.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from flowflare.emulator import codes, target_codes
from flowflare.emulator.envelope import page_of, success
from flowflare.emulator.requests import account_of, json_object, name_of, number, operation
from flowflare.emulator.runtime.contract import Deletions, Runtime
from flowflare.emulator.services.consumers.routes import view_consumer
from flowflare.emulator.services.consumers.store import ConsumersStore
from flowflare.emulator.services.targets.kinds import KINDS, Target, TargetKind
from flowflare.emulator.services.targets.store import TargetsStore

#: The kinds whose name a PUT changes.
_RENAMED = ("kv", "queue")
#: The header that holds the new storage class of a bucket.
_STORAGE_CLASS = "cf-r2-storage-class"


class TargetRoutes:
    """Serve the operations of KV namespaces, R2 buckets, queues, Hyperdrive and Vectorize."""

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
        rename = operation("PUT", target_path, partial(self._rename, kind))
        reclass = operation("PATCH", target_path, partial(self._change_storage_class, kind))
        return [
            *([rename] if kind.name in _RENAMED else []),
            *([reclass] if kind.name == "r2" else []),
            operation("GET", path, partial(self._list, kind)),
            operation("POST", path, partial(self._create, kind)),
            operation("GET", target_path, partial(self._get, kind)),
            operation("DELETE", target_path, partial(self._delete, kind)),
        ]

    async def _list(self, kind: TargetKind, request: Request) -> Response:
        # Only queues have this parameter; wrangler finds a queue with it.
        names = request.query_params.getlist("name") if kind.name == "queue" else []
        targets = [
            self._view(kind, target)
            for target in self._store.list_targets(account_of(request), kind)
            if not names or target.name in names
        ]
        page, per_page = number(request, "page", 1), number(request, "per_page", 100)
        part, info = page_of(targets, page=page, per_page=per_page)
        return success({kind.listed: part} if kind.listed else part, info=info)

    async def _create(self, kind: TargetKind, request: Request) -> Response:
        account, asked = account_of(request), await json_object(request)
        name = _pop_name(kind, asked)
        return success(self._view(kind, self._store.create(account, kind, name, asked)))

    async def _rename(self, kind: TargetKind, request: Request) -> Response:
        name = _pop_name(kind, await json_object(request))
        account, identity = account_of(request), name_of(request, "target")
        return success(self._view(kind, self._store.rename(account, kind, identity, name)))

    async def _change_storage_class(self, kind: TargetKind, request: Request) -> Response:
        account, identity = account_of(request), name_of(request, "target")
        storage_class = request.headers.get(_STORAGE_CLASS, "")
        record = {"storageClass": storage_class}
        return success(self._view(kind, self._store.change(account, kind, identity, record)))

    async def _get(self, kind: TargetKind, request: Request) -> Response:
        target = self._store.get(account_of(request), kind, name_of(request, "target"))
        return success(self._view(kind, target))

    async def _delete(self, kind: TargetKind, request: Request) -> Response:
        account, identity = account_of(request), name_of(request, "target")
        target = self._store.get(account, kind, identity)
        if kind.name == "r2" and await self._runtime.holds_objects(target.key):
            raise target_codes.bucket_not_empty(target.name, account)
        deleted = self._store.delete(account, kind, identity)
        await self._runtime.publish(account, Deletions(targets=(deleted.key,)))
        return success(None)

    def _view(self, kind: TargetKind, target: Target) -> dict[str, Any]:
        if kind.name != "queue":
            return kind.view(target, [])
        consumers = [
            view_consumer(consumer)
            for consumer in self._consumers.list_consumers(target.account, target.id)
        ]
        return {
            **kind.view(target, self._store.list_bound_scripts(target)),
            "consumers": consumers,
            "consumers_total_count": len(consumers),
        }


def _pop_name(kind: TargetKind, asked: dict[str, Any]) -> str:
    """Remove the name from a body and return it.

    Raises:
        Refusal: the body has no name.
    """
    name = asked.pop(kind.title, None)
    if not isinstance(name, str) or not name:
        raise codes.invalid_body(f"`{kind.title}` must be a name.")
    return name
