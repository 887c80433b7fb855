"""Serve zones."""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from flowflare.emulator import codes
from flowflare.emulator.envelope import success
from flowflare.emulator.requests import Service, answer_page, json_object, serves
from flowflare.emulator.services.zones.store import Zone, ZonesStore

_ALL = "/zones"
_ONE = _ALL + "/{zone}"
_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_ACCOUNT = re.compile(r"[0-9a-f]{32}")


class ZoneRoutes(Service[ZonesStore]):
    """Serve the operations of `zones`."""

    @serves("GET", _ALL)
    async def _list(self, request: Request) -> Response:
        query = request.query_params
        zones = self._store.list_zones(query.get("account.id"), query.get("name"))
        return answer_page(request, [_view(zone) for zone in zones], per_page=20)

    @serves("POST", _ALL)
    async def _create(self, request: Request) -> Response:
        asked = await json_object(request)
        account = asked.get("account")
        identity = account.get("id") if isinstance(account, dict) else None
        if not isinstance(identity, str) or not _ACCOUNT.fullmatch(identity):
            raise codes.invalid_body("`account.id` must be the ID of an account.")
        return success(_view(self._store.create(_check_name(asked.get("name")), identity)))

    @serves("GET", _ONE)
    async def _get(self, _: Request, zone: str) -> Response:
        return success(_view(self._store.get(zone)))

    @serves("DELETE", _ONE)
    async def _delete(self, _: Request, zone: str) -> Response:
        deleted = self._store.delete(zone)
        if deleted.account is not None:
            await self._runtime.publish(deleted.account)
        return success({"id": deleted.id})

    @serves("PUT", "/emulator/zones/{zone}")
    async def _name(self, request: Request, zone: str) -> Response:
        """Set a zone ID's name, through the control API."""
        asked = await json_object(request)
        name = _check_name(asked.get("name"))
        return success(_view(self._store.create(name, asked.get("account"), zone)))


def _check_name(given: object) -> str:
    """Validate a zone's domain name. Refusal: 10001, it is not a domain name."""
    if not isinstance(given, str) or not _NAME.fullmatch(given):
        raise codes.invalid_body("`name` must be a domain name in lower case.")
    return given


def _view(zone: Zone) -> dict[str, Any]:
    account = zone.account or ""
    return {
        "id": zone.id,
        "name": zone.name,
        "status": "active",
        "paused": False,
        "type": "full",
        "development_mode": 0,
        "name_servers": [],
        "original_dnshost": None,
        "original_name_servers": None,
        "original_registrar": None,
        "activated_on": zone.created_on,
        "created_on": zone.created_on,
        "modified_on": zone.created_on,
        "account": {"id": account, "name": f"Account {account[:8]}"},
        "owner": {"id": account, "name": f"Account {account[:8]}", "type": "organization"},
        "meta": {},
        "permissions": [],
        "plan": {"id": "free", "name": "Free Website"},
    }
