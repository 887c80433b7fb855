"""Serve the contents of KV namespaces: values, metadata, keys, and several of them at once."""

import asyncio
import json
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from flowflare.emulator.envelope import Refusal, success
from flowflare.emulator.requests import Routes, json_body, json_object, serves
from flowflare.emulator.services.kv.store import (
    Value,
    ValuesStore,
    Write,
    check_metadata,
    invalid_value,
    read_write,
)

_NAMESPACE = "/accounts/{account}/storage/kv/namespaces/{namespace}"
_VALUE = _NAMESPACE + "/values/{key:path}"
_LONGEST_LIST = 1_000
_SHORTEST_LIST = 10
_MAX_WRITES = 10_000
_MAX_READS = 100
_TOGETHER = 16
_LARGEST_VALUE = 25 * 1024 * 1024


class ValueRoutes(Routes):
    """Serve the operations below a namespace."""

    def __init__(self, store: ValuesStore) -> None:
        self._store = store

    @serves("GET", _VALUE)
    async def _get(self, _: Request, account: str, namespace: str, key: str) -> Response:
        value = await self._store.open(account, namespace).get(key)
        response = Response(value.content, media_type="application/octet-stream")
        if value.expiration is not None:
            response.headers["expiration"] = str(value.expiration)
        return response

    @serves("PUT", _VALUE)
    async def _put(self, request: Request, account: str, namespace: str, key: str) -> Response:
        values = self._store.open(account, namespace)
        content, metadata = await _read_value(request)
        write = Write(
            key,
            content,
            expiration=request.query_params.get("expiration", ""),
            expiration_ttl=request.query_params.get("expiration_ttl", ""),
            metadata=metadata,
        )
        await values.put(write)
        return success({})

    @serves("DELETE", _VALUE)
    async def _delete(self, _: Request, account: str, namespace: str, key: str) -> Response:
        await self._store.open(account, namespace).delete(key)
        return success({})

    @serves("GET", _NAMESPACE + "/metadata/{key:path}")
    async def _get_metadata(self, _: Request, account: str, namespace: str, key: str) -> Response:
        return success((await self._store.open(account, namespace).get(key)).metadata)

    @serves("GET", _NAMESPACE + "/keys")
    async def _list_keys(self, request: Request, account: str, namespace: str) -> Response:
        query = request.query_params
        listed = await self._store.open(account, namespace).list_keys(
            prefix=query.get("prefix", ""),
            limit=_read_limit(query.get("limit")),
            cursor=query.get("cursor", ""),
        )
        keys = [_view_key(key) for key in listed["keys"]]
        return success(keys, info={"count": len(keys), "cursor": listed.get("cursor") or ""})

    @serves("PUT", _NAMESPACE + "/bulk")
    async def _put_bulk(self, request: Request, account: str, namespace: str) -> Response:
        values = self._store.open(account, namespace)
        writes = [read_write(item) for item in await _read_list(request, _MAX_WRITES)]
        for write in writes:
            await values.put(write)
        return success(_view_bulk(len(writes)))

    @serves("DELETE", _NAMESPACE + "/bulk")  # as wrangler asks
    @serves("POST", _NAMESPACE + "/bulk/delete")
    async def _delete_bulk(self, request: Request, account: str, namespace: str) -> Response:
        values = self._store.open(account, namespace)
        keys = await _read_list(request, _MAX_WRITES)
        for key in _read_keys(keys):
            await values.delete(key)
        return success(_view_bulk(len(keys)))

    @serves("POST", _NAMESPACE + "/bulk/get")
    async def _get_bulk(self, request: Request, account: str, namespace: str) -> Response:
        values = self._store.open(account, namespace)
        asked = await json_object(request)
        keys = asked.get("keys")
        if not isinstance(keys, list) or not 0 < len(keys) <= _MAX_READS:
            raise invalid_value(f"`keys` must be a list of 1 to {_MAX_READS} keys.")
        kind = asked.get("type", "text")
        if kind not in ("text", "json"):
            raise invalid_value(f'"{kind}" is not a valid type. Use "json" or "text"')
        names, turns = list(dict.fromkeys(_read_keys(keys))), asyncio.Semaphore(_TOGETHER)

        async def find(key: str) -> Value | None:
            async with turns:
                return await values.find(key)

        found = await asyncio.gather(*map(find, names))
        shown = {
            key: _view_value(value, kind, with_metadata=asked.get("withMetadata") is True)
            for key, value in zip(names, found, strict=True)
        }
        return success({"values": shown})


async def _read_value(request: Request) -> tuple[bytes, str | None]:
    """Return the value and its metadata as JSON text.

    The body is the value, or a multipart body with `value` and perhaps `metadata`.

    Raises:
        Refusal: 10028, the multipart body has no value, or the metadata is not JSON.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await request.body(), None
    form = await request.form(max_part_size=_LARGEST_VALUE + 1)
    value, metadata = form.get("value"), form.get("metadata")
    if value is None:
        raise invalid_value("The multipart body has no part 'value'.")
    content = await value.read() if isinstance(value, UploadFile) else value.encode()
    if metadata is None:
        return content, None
    text = metadata if isinstance(metadata, str) else (await metadata.read()).decode()
    return content, check_metadata(text)


async def _read_list(request: Request, longest: int) -> list[Any]:
    items = await json_body(request)
    if not isinstance(items, list) or len(items) > longest:
        raise invalid_value(f"The body must be a list of at most {longest} items.")
    return items


def _read_keys(keys: list[Any]) -> list[str]:
    """Return keys as they are. wrangler deletes `{"name": ...}` too."""
    named = [key.get("name") if isinstance(key, dict) else key for key in keys]
    names = [name for name in named if isinstance(name, str)]
    if len(names) < len(named):
        raise invalid_value("Each key must be a string.")
    return names


def _read_limit(text: str | None) -> int:
    """Return how many keys a page has; Cloudflare's reference says 10 to 1,000."""
    if text is None:
        return _LONGEST_LIST
    limit = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    if not _SHORTEST_LIST <= limit <= _LONGEST_LIST:
        message = f"limit must be a number from {_SHORTEST_LIST} to {_LONGEST_LIST}."
        raise invalid_value(message)
    return limit


def _view_key(key: dict[str, Any]) -> dict[str, Any]:
    shown = {"name": key["name"]}
    if key.get("expiration") is not None:
        shown["expiration"] = key["expiration"]
    if key.get("metadata") is not None:
        shown["metadata"] = json.loads(key["metadata"])
    return shown


def _view_bulk(count: int) -> dict[str, Any]:
    return {"successful_key_count": count, "unsuccessful_keys": []}


def _view_value(value: Value | None, kind: str, *, with_metadata: bool) -> Any:
    if value is None:
        return None
    shown: Any = value.content.decode(errors="replace")
    if kind == "json":
        shown = _parse(shown)
    if not with_metadata:
        return shown
    described = {"value": shown, "metadata": value.metadata}
    return described if value.expiration is None else {**described, "expiration": value.expiration}


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        refusal: Refusal = invalid_value(
            "At least one of the requested keys corresponds to a non-json value"
        )
        raise refusal from None
