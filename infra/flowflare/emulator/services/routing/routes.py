"""Serve routes and custom domains."""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from flowflare.emulator import codes
from flowflare.emulator.envelope import success
from flowflare.emulator.requests import Service, json_object, serves
from flowflare.emulator.runtime.contract import Runtime
from flowflare.emulator.services.routing.store import Domain, Route, RoutingStore
from flowflare.emulator.services.zones.store import ZonesStore

_ROUTES = "/zones/{zone}/workers/routes"
_ROUTE = _ROUTES + "/{identity}"
_DOMAINS = "/accounts/{account}/workers/domains"
_DOMAIN = _DOMAINS + "/{identity}"
_HOSTNAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*", re.I)


class RoutingRoutes(Service[RoutingStore]):
    """Serve the operations of a zone's `workers/routes` and of `workers/domains`."""

    def __init__(self, store: RoutingStore, zones: ZonesStore, runtime: Runtime) -> None:
        super().__init__(store, runtime)
        self._zones = zones

    @serves("GET", _ROUTES)
    async def _list_routes(self, _: Request, zone: str) -> Response:
        return success([_view_route(route) for route in self._store.routes(zone)])

    @serves("GET", _ROUTE)
    async def _get_route(self, _: Request, zone: str, identity: str) -> Response:
        return success(_view_route(self._store.route(zone, identity)))

    @serves("POST", _ROUTES)
    @serves("PUT", _ROUTE)
    async def _put_route(self, request: Request, zone: str) -> Response:
        asked = await json_object(request)
        script = asked.get("script")
        if script is not None and not isinstance(script, str):
            raise codes.invalid_body("`script` must be the name of a script.")
        identity = request.path_params.get("identity")
        before = self._store.route(zone, identity) if identity else None
        route = self._store.put_route(zone, asked.get("pattern"), script, identity)
        await self._publish(route, before)
        return success(_view_route(route))

    @serves("DELETE", _ROUTE)
    async def _delete_route(self, _: Request, zone: str, identity: str) -> Response:
        deleted = self._store.delete_route(zone, identity)
        await self._publish(deleted)
        return success({"id": deleted.id})

    async def _publish(self, *routes: Route | None) -> None:
        for account in {route.account for route in routes if route and route.account}:
            await self._runtime.publish(account)

    @serves("GET", _DOMAINS)
    async def _list_domains(self, request: Request, account: str) -> Response:
        domains = [self._view_domain(domain) for domain in self._store.domains(account)]
        wanted = {key: value for key, value in request.query_params.items() if key in _FILTERS}
        return success([domain for domain in domains if wanted.items() <= domain.items()])

    @serves("GET", _DOMAIN)
    async def _get_domain(self, _: Request, account: str, identity: str) -> Response:
        return success(self._view_domain(self._store.domain(account, identity)))

    @serves("PUT", _DOMAINS)
    async def _put_domain(self, request: Request, account: str) -> Response:
        asked = await json_object(request)
        hostname = asked.get("hostname")
        if not isinstance(hostname, str) or not _HOSTNAME.fullmatch(hostname):
            raise codes.invalid_body("`hostname` must be a hostname.")
        if not isinstance(asked.get("service"), str):
            raise codes.invalid_body("`service` must be the name of a script.")
        domain = self._store.put_domain(account, asked)
        await self._runtime.publish(account)
        return success(self._view_domain(domain))

    @serves("DELETE", _DOMAIN)
    async def _delete_domain(self, _: Request, account: str, identity: str) -> Response:
        self._store.delete_domain(account, identity)
        await self._runtime.publish(account)
        return success(None)

    def _view_domain(self, domain: Domain) -> dict[str, Any]:
        return {
            "id": domain.id,
            "cert_id": domain.certificate,
            "environment": domain.environment,
            "hostname": domain.hostname,
            "service": domain.script,
            "zone_id": domain.zone,
            "zone_name": self._zones.get(domain.zone).name,
        }


_FILTERS = ("environment", "hostname", "service", "zone_id", "zone_name")


def _view_route(route: Route) -> dict[str, Any]:
    view = {"id": route.id, "pattern": route.pattern}
    return view | ({"script": route.script} if route.script else {})
