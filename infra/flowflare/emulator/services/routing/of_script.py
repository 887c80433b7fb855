"""Serve all routes and custom domains of one script at once, which `wrangler deploy` calls."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from flowflare.emulator import codes
from flowflare.emulator.envelope import success
from flowflare.emulator.requests import Service, json_body, serves
from flowflare.emulator.services.routing.store import RoutingStore

_SCRIPT = "/accounts/{account}/workers/scripts/{script}"
_DOMAINS = "/accounts/{account}/workers/domains/records"


class ScriptRoutingRoutes(Service[RoutingStore]):
    """Serve a script's `routes` and `domains`, which Cloudflare's reference does not document."""

    @serves("PUT", _SCRIPT + "/routes")
    async def _put_routes(self, request: Request, account: str, script: str) -> Response:
        routes = self._store.replace_routes(account, script, _objects(await json_body(request)))
        await self._runtime.publish(account)
        return success([{"id": route.id, "pattern": route.pattern} for route in routes])

    @serves("POST", _SCRIPT + "/domains/changeset")
    async def _compare(self, request: Request, account: str, script: str) -> Response:
        """Return what a PUT of these domains would do.

        wrangler asks before it moves a used hostname.
        """
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

    @serves("PUT", _SCRIPT + "/domains/records")
    async def _put_domains(self, request: Request, account: str, script: str) -> Response:
        body = await json_body(request)
        origins = _objects(body.get("origins") if isinstance(body, dict) else None)
        if not all(isinstance(origin.get("hostname"), str) for origin in origins):
            raise codes.invalid_body("Every origin needs a `hostname`.")
        domains = self._store.replace_domains(account, script, origins)
        await self._runtime.publish(account)
        return success([{"id": domain.id, "hostname": domain.hostname} for domain in domains])

    @serves("GET", _DOMAINS)
    async def _list(self, request: Request, account: str) -> Response:
        script = request.query_params.get("service")
        domains = [
            {"id": domain.id, "hostname": domain.hostname, "service": domain.script}
            for domain in self._store.domains(account)
            if script in {None, domain.script}
        ]
        return success(domains)


def _objects(given: Any) -> list[dict[str, Any]]:
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        raise codes.invalid_body("The body must be a list of objects.")
    return given
