"""Serve all routes and custom domains of one script at once, which `wrangler deploy` calls."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from flowflare.emulator import codes
from flowflare.emulator.envelope import success
from flowflare.emulator.requests import account_of, json_body, name_of, operation
from flowflare.emulator.runtime.contract import Runtime
from flowflare.emulator.services.routing.store import RoutingStore

_SCRIPT = "/accounts/{account}/workers/scripts/{script}"
_DOMAINS = "/accounts/{account}/workers/domains/records"


class ScriptRoutingRoutes:
    """Serve a script's `routes` and `domains`, which Cloudflare's reference does not document."""

    def __init__(self, store: RoutingStore, runtime: Runtime) -> None:
        self._store = store
        self._runtime = runtime

    def routes(self) -> list[BaseRoute]:
        """List the operations of this service."""
        return [
            operation("PUT", _SCRIPT + "/routes", self._put_routes),
            operation("POST", _SCRIPT + "/domains/changeset", self._compare),
            operation("PUT", _SCRIPT + "/domains/records", self._put_domains),
            operation("GET", _DOMAINS, self._list),
        ]

    async def _put_routes(self, request: Request) -> Response:
        account, script = account_of(request), name_of(request, "script")
        routes = self._store.replace_routes(account, script, _objects(await json_body(request)))
        await self._runtime.publish(account)
        return success([{"id": route.id, "pattern": route.pattern} for route in routes])

    async def _compare(self, request: Request) -> Response:
        """Return what a PUT of these domains would do.

        wrangler asks before it moves a used hostname.
        """
        account, script = account_of(request), name_of(request, "script")
        wanted = {
            str(origin.get("hostname")).lower() for origin in _objects(await json_body(request))
        }
        current = {domain.hostname: domain for domain in self._store.domains(account)}
        added = [{"hostname": name} for name in sorted(wanted - current.keys())]
        removed = [
            {"id": domain.id, "hostname": name}
            for name, domain in current.items()
            if domain.script == script and name not in wanted
        ]
        updated = [
            {"id": domain.id, "hostname": name, "modified": domain.script != script}
            for name, domain in current.items()
            if name in wanted
        ]
        return success({"added": added, "removed": removed, "updated": updated, "conflicting": []})

    async def _put_domains(self, request: Request) -> Response:
        account, script = account_of(request), name_of(request, "script")
        body = await json_body(request)
        origins = _objects(body.get("origins") if isinstance(body, dict) else None)
        if not all(isinstance(origin.get("hostname"), str) for origin in origins):
            raise codes.invalid_body("Every origin needs a `hostname`.")
        domains = self._store.replace_domains(account, script, origins)
        await self._runtime.publish(account)
        return success([{"id": domain.id, "hostname": domain.hostname} for domain in domains])

    async def _list(self, request: Request) -> Response:
        script = request.query_params.get("service")
        domains = [
            {"id": domain.id, "hostname": domain.hostname, "service": domain.script}
            for domain in self._store.domains(account_of(request))
            if script in {None, domain.script}
        ]
        return success(domains)


def _objects(given: Any) -> list[dict[str, Any]]:
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        raise codes.invalid_body("The body must be a list of objects.")
    return given
