"""Serve the objects of R2 buckets: upload, download, list and delete them."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from flowflare.emulator import codes
from flowflare.emulator.envelope import success
from flowflare.emulator.requests import Routes, number, serves
from flowflare.emulator.services.r2.store import (
    ObjectsStore,
    StoredObject,
    http_time,
    iso_time,
    read_time,
)
from flowflare.emulator.services.targets.r2 import STORAGE_CLASS, read_storage_class
from flowflare.emulator.services.targets.target import Target

_OBJECTS = "/accounts/{account}/r2/buckets/{bucket}/objects"
_OBJECT = _OBJECTS + "/{key:path}"
_LONGEST_LIST = 100


class ObjectRoutes(Routes):
    """Serve the operations below a bucket's `objects`."""

    def __init__(self, store: ObjectsStore) -> None:
        self._store = store

    @serves("GET", _OBJECTS)
    async def _list(self, request: Request, account: str, bucket: str) -> Response:
        found = self._store.find_bucket(account, bucket, request.headers)
        query = request.query_params
        limit = min(number(request, "per_page", _LONGEST_LIST), _LONGEST_LIST)
        objects, prefixes, cursor = await self._store.open(found).list(
            limit=limit,
            prefix=query.get("prefix", ""),
            cursor=query.get("cursor", ""),
            delimiter=query.get("delimiter", ""),
            startAfter=query.get("start_after", ""),
        )
        info: dict[str, Any] = {
            "cursor": cursor or "",
            "is_truncated": cursor is not None,
            "per_page": limit,
            "delimited": prefixes,
        }
        return success([_view_listed(each, found) for each in objects], info=info)

    @serves("GET", _OBJECT)
    async def _get(self, request: Request, account: str, bucket: str, key: str) -> Response:
        found = self._store.find_bucket(account, bucket, request.headers)
        stored = await self._store.open(found).get(key)
        headers = {
            **stored.http,
            "etag": f'"{stored.etag}"',
            "last-modified": http_time(stored.uploaded),
        }
        if _is_unchanged(request, stored):
            return Response(status_code=304, headers=headers)
        return Response(stored.content, headers=headers)

    @serves("PUT", _OBJECT)
    async def _put(self, request: Request, account: str, bucket: str, key: str) -> Response:
        found = self._store.find_bucket(account, bucket, request.headers)
        wanted, own = request.headers.get(STORAGE_CLASS), read_storage_class(found.record)
        if wanted not in (None, own):
            # Stored objects have no class of their own here.
            place = request.url.path.partition("/objects/")[0]
            raise codes.not_emulated("PUT", f"{place}/objects with another {STORAGE_CLASS}")
        body = await request.body()
        stored = await self._store.open(found).put(key, body, request.headers)
        shown = {
            "key": stored.key,
            "etag": stored.etag,
            "size": str(stored.size),
            "storage_class": own,
            "uploaded": iso_time(stored.uploaded),
            "version": stored.version,
        }
        return success(shown)

    @serves("DELETE", _OBJECT)
    async def _delete(self, request: Request, account: str, bucket: str, key: str) -> Response:
        found = self._store.find_bucket(account, bucket, request.headers)
        await self._store.open(found).delete(key)
        return success({"key": key})


def _is_unchanged(request: Request, stored: StoredObject) -> bool:
    """Return whether the client has this object, by its ETag or else by the time."""
    known = request.headers.get("if-none-match")
    if known is not None:
        tags = [tag.strip().removeprefix("W/").strip('"') for tag in known.split(",")]
        return stored.etag in tags or "*" in tags
    since = read_time(request.headers.get("if-modified-since"))
    return since is not None and stored.uploaded // 1000 * 1000 <= since


def _view_listed(stored: StoredObject, bucket: Target) -> dict[str, Any]:
    fields = {_camel(name): value for name, value in stored.http.items() if name != "expires"}
    expires = read_time(stored.http.get("expires"))
    return {
        "key": stored.key,
        "etag": stored.etag,
        "size": stored.size,
        "last_modified": iso_time(stored.uploaded),
        "http_metadata": fields | ({"cacheExpiry": iso_time(expires)} if expires else {}),
        "custom_metadata": dict(stored.custom),
        "ssec": False,
        "storage_class": read_storage_class(bucket.record),
    }


def _camel(header: str) -> str:
    first, *rest = header.split("-")
    return first + "".join(word.capitalize() for word in rest)
