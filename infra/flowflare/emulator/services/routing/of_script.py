"""HTTP for all routes and custom domains of one script at once: what `wrangler deploy` calls."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from flowflare.emulator import codes
from flowflare.emulator.envelope import success
from flowflare.emulator.requests import account_of, json_body, name_of, operation
from flowflare.emulator.runtime.workers import Workers
from flowflare.emulator.services.routing.store import RoutingStore

_SCRIPT = "/accounts/{account}/workers/scripts/{script}"
_DOMAINS = "/accounts/{account}/workers/domains/records"


class ScriptRoutingRoutes:
    """The operations of a script's `routes` and `domains`, which no reference names."""

    def __init__(self, store: RoutingStore, workers: Workers) -> None:
        self._store = store
        self._workers = workers

    def routes(self) -> list[BaseRoute]:
        """The operations this service answers."""
        return [
            operation("PUT", _SCRIPT + "/routes", self._put_routes),
            operation("POST", _SCRIPT + "/domains/changeset", self._compare),
            operation("PUT", _SCRIPT + "/domains/records", self._put_domains),
            operation("GET", _DOMAINS, self._list),
        ]

    async def _put_routes(self, request: Request) -> Response:
        account, script = account_of(request), name_of(request, "script")
        made = self._store.replace_routes(account, script, _objects(await json_body(request)))
        await self._workers.publish(account)
        return success([{"id": each.id, "pattern": each.pattern} for each in made])

    async def _compare(self, request: Request) -> Response:
        """What a PUT of these domains would do; whoever has a hostname is asked for it."""
        account, script = account_of(request), name_of(request, "script")
        wanted = {str(each.get("hostname")).lower() for each in _objects(await json_body(request))}
        there = {each.hostname: each for each in self._store.domains(account)}
        added = [{"hostname": each} for each in sorted(wanted - there.keys())]
        removed = [
            {"id": each.id, "hostname": name}
            for name, each in there.items()
            if each.script == script and name not in wanted
        ]
        updated = [
            {"id": each.id, "hostname": name, "modified": each.script != script}
            for name, each in there.items()
            if name in wanted
        ]
        return success({"added": added, "removed": removed, "updated": updated, "conflicting": []})

    async def _put_domains(self, request: Request) -> Response:
        account, script = account_of(request), name_of(request, "script")
        body = await json_body(request)
        origins = _objects(body.get("origins") if isinstance(body, dict) else None)
        if not all(isinstance(each.get("hostname"), str) for each in origins):
            raise codes.invalid_body("Every origin needs a `hostname`.")
        made = self._store.replace_domains(account, script, origins)
        await self._workers.publish(account)
        return success([{"id": each.id, "hostname": each.hostname} for each in made])

    async def _list(self, request: Request) -> Response:
        script = request.query_params.get("service")
        found = [
            {"id": each.id, "hostname": each.hostname, "service": each.script}
            for each in self._store.domains(account_of(request))
            if script in {None, each.script}
        ]
        return success(found)


def _objects(given: Any) -> list[dict[str, Any]]:
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise codes.invalid_body("The body must be a list of objects.")
    return given
