"""Serve DNS records."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from flowflare.emulator.envelope import success
from flowflare.emulator.requests import Routes, answer_page, json_object, serves
from flowflare.emulator.services.dns.store import DnsStore, Record

_ALL = "/zones/{zone}/dns_records"
_ONE = _ALL + "/{identity}"
_COMPARISONS = {
    "": str.__eq__,
    "exact": str.__eq__,
    "contains": str.__contains__,
    "startswith": str.startswith,
    "endswith": str.endswith,
}


class DnsRoutes(Routes):
    """Serve the operations of a zone's `dns_records`."""

    def __init__(self, store: DnsStore) -> None:
        self._store = store

    @serves("GET", _ALL)
    async def _list(self, request: Request, zone: str) -> Response:
        query = dict(request.query_params)
        records = [record for record in self._store.records(zone) if _matches(record, query)]
        if query.get("direction") == "desc":
            records.reverse()
        return answer_page(request, records)

    @serves("POST", _ALL)
    async def _create(self, request: Request, zone: str) -> Response:
        return success(self._store.create(zone, await json_object(request)))

    @serves("GET", _ONE)
    async def _get(self, _: Request, zone: str, identity: str) -> Response:
        return success(self._store.record(zone, identity))

    @serves("PUT", _ONE)
    async def _replace(self, request: Request, zone: str, identity: str) -> Response:
        return success(self._store.replace(zone, identity, await json_object(request)))

    @serves("PATCH", _ONE)
    async def _edit(self, request: Request, zone: str, identity: str) -> Response:
        return success(self._store.edit(zone, identity, await json_object(request)))

    @serves("DELETE", _ONE)
    async def _delete(self, _: Request, zone: str, identity: str) -> Response:
        self._store.delete(zone, identity)
        return success({"id": identity})


def _matches(record: Record, query: dict[str, Any]) -> bool:
    """Return whether a record has what the query's filters ask for, all or any of them."""
    results = []
    for name, wanted in query.items():
        field, _, comparison = name.partition(".")
        if field in ("name", "content", "type", "comment") and comparison in _COMPARISONS:
            value = str(record[field] or "")
            results.append(_COMPARISONS[comparison](value.lower(), wanted.lower()))
        elif name == "proxied":
            results.append(record["proxied"] == (wanted == "true"))
    return (any if query.get("match") == "any" and results else all)(results)
