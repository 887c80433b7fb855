"""Serve routes and custom domains."""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from flowflare.emulator import codes
from flowflare.emulator.envelope import success
from flowflare.emulator.requests import account_of, json_object, name_of, operation, zone_of
from flowflare.emulator.runtime.contract import Runtime
from flowflare.emulator.services.routing.store import Domain, Route, RoutingStore
from flowflare.emulator.services.zones.store import ZonesStore

_ROUTES = "/zones/{zone}/workers/routes"
_ROUTE = _ROUTES + "/{route}"
_DOMAINS = "/accounts/{account}/workers/domains"
_DOMAIN = _DOMAINS + "/{domain}"
_HOSTNAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*", re.I)


class RoutingRoutes:
    """Serve the operations of a zone's `workers/routes` and of `workers/domains`."""

    def __init__(self, store: RoutingStore, zones: ZonesStore, runtime: Runtime) -> None:
        self._store = store
        self._zones = zones
        self._runtime = runtime

    def routes(self) -> list[BaseRoute]:
        """List the operations of this service."""
        return [
            operation("GET", _ROUTES, self._list_routes),
            operation("POST", _ROUTES, self._put_route),
            operation("GET", _ROUTE, self._get_route),
            operation("PUT", _ROUTE, self._put_route),
            operation("DELETE", _ROUTE, self._delete_route),
            operation("GET", _DOMAINS, self._list_domains),
            operation("PUT", _DOMAINS, self._put_domain),
            operation("GET", _DOMAIN, self._get_domain),
            operation("DELETE", _DOMAIN, self._delete_domain),
        ]

    async def _list_routes(self, request: Request) -> Response:
        return success([_view_route(route) for route in self._store.routes(zone_of(request))])

    async def _get_route(self, request: Request) -> Response:
        return success(_view_route(self._store.route(zone_of(request), name_of(request, "route"))))

    async def _put_route(self, request: Request) -> Response:
        asked = await json_object(request)
        script = asked.get("script")
        if script is not None and not isinstance(script, str):
            raise codes.invalid_body("`script` must be the name of a script.")
        identity = request.path_params.get("route")
        before = self._store.route(zone_of(request), identity) if identity else None
        route = self._store.put_route(zone_of(request), asked.get("pattern"), script, identity)
        await self._publish(route, before)
        return success(_view_route(route))

    async def _delete_route(self, request: Request) -> Response:
        deleted = self._store.delete_route(zone_of(request), name_of(request, "route"))
        await self._publish(deleted)
        return success({"id": deleted.id})

    async def _publish(self, *routes: Route | None) -> None:
        for account in {route.account for route in routes if route and route.account}:
            await self._runtime.publish(account)

    async def _list_domains(self, request: Request) -> Response:
        domains = [self._view_domain(domain) for domain in self._store.domains(account_of(request))]
        wanted = {key: value for key, value in request.query_params.items() if key in _FILTERS}
        return success([domain for domain in domains if wanted.items() <= domain.items()])

    async def _get_domain(self, request: Request) -> Response:
        domain = self._store.domain(account_of(request), name_of(request, "domain"))
        return success(self._view_domain(domain))

    async def _put_domain(self, request: Request) -> Response:
        account, asked = account_of(request), await json_object(request)
        hostname = asked.get("hostname")
        if not isinstance(hostname, str) or not _HOSTNAME.fullmatch(hostname):
            raise codes.invalid_body("`hostname` must be a hostname.")
        if not isinstance(asked.get("service"), str):
            raise codes.invalid_body("`service` must be the name of a script.")
        domain = self._store.put_domain(account, asked)
        await self._runtime.publish(account)
        return success(self._view_domain(domain))

    async def _delete_domain(self, request: Request) -> Response:
        account = account_of(request)
        self._store.delete_domain(account, name_of(request, "domain"))
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
