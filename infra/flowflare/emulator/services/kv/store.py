"""Read and write the values of a KV namespace, which are the values that bound Workers see."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from flowflare.emulator.envelope import Code, Refusal
from flowflare.emulator.json_text import NotJsonError, parse_json
from flowflare.emulator.runtime.contract import Runtime, StoreAnswer, StoreRequest
from flowflare.emulator.services.targets.kv import KV
from flowflare.emulator.services.targets.store import TargetsStore

key_missing = Code(
    404,
    10009,
    "get: 'key not found'",
    "a KV key that does not exist. Tests of several public clients have status, code and text; "
    "that Cloudflare answers so is our interpretation.",
)
invalid_value = Code(
    400,
    10028,
    "{message}",
    "a KV key, expiration, metadata or value that breaks a limit. The texts are those that bound "
    "Workers get; the code is our interpretation.",
)
_LONGEST_KEY = 512


@dataclass(frozen=True)
class Value:
    """Hold a stored value, when it expires in seconds since 1970, and its metadata."""

    content: bytes
    expiration: int | None
    metadata: Any


@dataclass(frozen=True)
class Write:
    """Describe a value to store; the metadata is JSON text."""

    key: str
    content: bytes
    expiration: str = ""
    expiration_ttl: str = ""
    metadata: str | None = None


class ValuesStore:
    """Reach the values of all namespaces.

    Args:
        targets: the namespaces.
        runtime: the runtime, whose stores hold the values.
    """

    def __init__(self, targets: TargetsStore, runtime: Runtime) -> None:
        self._targets = targets
        self._runtime = runtime

    def open(self, account: str, namespace: str) -> "Values":
        """Return the values of a namespace. Refusal: 10013, it does not exist."""
        return Values(self._runtime, self._targets.get(account, KV, namespace).key)


class Values:
    """Read and write the values of one namespace.

    Args:
        key: the namespace's key in the stores.
    """

    def __init__(self, runtime: Runtime, key: str) -> None:
        self._runtime = runtime
        self._key = key

    async def find(self, key: str) -> Value | None:
        """Return a value, or None."""
        answer = await self._ask("GET", _path(key))
        if answer.status == 404:
            return None
        _require(answer)
        expiration = answer.headers.get("cf-expiration")
        metadata = answer.headers.get("cf-kv-metadata")
        return Value(
            answer.body,
            int(expiration) if expiration else None,
            json.loads(_from_header(metadata)) if metadata else None,
        )

    async def get(self, key: str) -> Value:
        """Return a value. Refusal: 10009, it does not exist."""
        value = await self.find(key)
        if value is None:
            raise key_missing()
        return value

    async def put(self, write: Write) -> None:
        """Store a value.

        Raises:
            Refusal: 10028, a limit: the key has 512 bytes, the value 25 MiB, the metadata 1,024
                bytes, and the value expires in 60 seconds or later.
        """
        path = _path(write.key)
        times = {"expiration": write.expiration, "expiration_ttl": write.expiration_ttl}
        query = urlencode({name: time for name, time in times.items() if time})
        headers = {}
        if write.metadata is not None:
            headers["CF-KV-Metadata"] = _to_header(write.metadata)
        request = f"{path}&{query}" if query else path
        _require(await self._ask("PUT", request, headers, write.content))

    async def delete(self, key: str) -> None:
        """Delete a value, which need not exist."""
        _require(await self._ask("DELETE", _path(key)))

    async def list_keys(self, *, prefix: str, limit: int, cursor: str) -> dict[str, Any]:
        """Return a page of `keys`, and the `cursor` of the next page if there is one."""
        query = {"prefix": prefix, "key_count_limit": str(limit), "cursor": cursor}
        given = urlencode({name: value for name, value in query.items() if value})
        answer = await self._ask("GET", f"/?{given}")
        _require(answer)
        listed: dict[str, Any] = json.loads(answer.body)
        return listed

    async def _ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> StoreAnswer:
        request = StoreRequest("kv", self._key, method, path, headers or {}, body)
        return await self._runtime.ask_store(request)


def read_write(item: Any) -> Write:
    """Read one value of a bulk write. Refusal: 10028, it is not one."""
    if not isinstance(item, dict) or not isinstance(item.get("key"), str):
        raise invalid_value("Each item of a bulk write must have a `key` and a `value`.")
    value = item.get("value")
    if not isinstance(value, str):
        raise invalid_value(f"The `value` of key '{item['key']}' must be a string.")
    metadata = item.get("metadata")
    return Write(
        item["key"],
        _decode(value, item["key"]) if item.get("base64") is True else _encode(value),
        expiration=_seconds(item.get("expiration")),
        expiration_ttl=_seconds(item.get("expiration_ttl")),
        metadata=None if metadata is None else json.dumps(metadata, ensure_ascii=False),
    )


def check_metadata(text: str) -> str:
    """Return metadata as it was given. Refusal: 10028, it is not JSON."""
    try:
        parse_json(text)
    except NotJsonError as error:
        raise invalid_value(f"metadata must be valid JSON: {error}") from None
    return text


def _decode(value: str, key: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        raise invalid_value(f"The `value` of key '{key}' is not base64.") from None


def _encode(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise invalid_value("A key or a value is not valid UTF-8.") from None


def _seconds(value: Any) -> str:
    """Return a time as the stores read it; they refuse what is not a number."""
    return "" if value in (None, 0) else str(value)


def _path(key: str) -> str:
    encoded = _encode(key)
    if not key:
        raise invalid_value("Key names must not be empty")
    if key in (".", ".."):
        message = f'Illegal key name "{key}". Please use a different name.'
        raise invalid_value(message)
    if len(encoded) > _LONGEST_KEY:
        raise Refusal(
            414,
            invalid_value(
                f"UTF-8 encoded length of {len(encoded)} exceeds key length limit of "
                f"{_LONGEST_KEY}."
            ).problems,
        )
    return f"/{quote(encoded, safe='')}?urlencoded=true"


def _to_header(text: str) -> str:
    """Return JSON text as a header can hold it: its UTF-8 bytes, one character each."""
    compact = text.replace("\r", " ").replace("\n", " ")
    return _encode(compact).decode("latin-1")


def _from_header(text: str) -> str:
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def _require(answer: StoreAnswer) -> None:
    """Refuse what the stores refuse, with their status and text."""
    if answer.status >= 400:
        text = answer.body.decode(errors="replace") or "The value cannot be stored."
        raise Refusal(answer.status, invalid_value(text).problems)
