"""Read and write the objects of an R2 bucket, which are the objects that bound Workers see."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from flowflare.emulator.envelope import Code, Refusal, refusal
from flowflare.emulator.runtime.contract import Runtime, StoreAnswer, StoreRequest
from flowflare.emulator.services.targets.r2 import R2, require_jurisdiction
from flowflare.emulator.services.targets.store import TargetsStore
from flowflare.emulator.services.targets.target import Target

object_missing = Code(
    404,
    10007,
    "The specified key does not exist.",
    "an R2 object that does not exist. The status is our interpretation.",
    trace="sst/sst, `pkg/project/provider/cloudflare.go`",
)
_HTTP_FIELDS = {
    "content-type": "contentType",
    "content-language": "contentLanguage",
    "content-disposition": "contentDisposition",
    "content-encoding": "contentEncoding",
    "cache-control": "cacheControl",
}


@dataclass(frozen=True)
class StoredObject:
    """Describe an object.

    Attributes:
        uploaded: in milliseconds since 1970.
        http: its HTTP metadata, by the names of headers.
        custom: its other metadata.
    """

    key: str
    version: str
    size: int
    etag: str
    uploaded: int
    http: Mapping[str, str]
    custom: Mapping[str, str]
    content: bytes = b""


class ObjectsStore:
    """Reach the objects of all buckets.

    Args:
        targets: the buckets.
        runtime: the runtime, whose stores hold the objects.
    """

    def __init__(self, targets: TargetsStore, runtime: Runtime) -> None:
        self._targets = targets
        self._runtime = runtime

    def find_bucket(self, account: str, bucket: str, headers: Mapping[str, str]) -> Target:
        """Return a bucket. Refusal: 10006, it is not in the jurisdiction of the headers."""
        target = self._targets.get(account, R2, bucket)
        require_jurisdiction(target, headers)
        return target

    def change_bucket(self, bucket: Target, **changes: Any) -> None:
        """Change properties of a bucket; None removes one."""
        record = {**bucket.record, **changes}
        kept = {name: value for name, value in record.items() if value is not None}
        self._targets.update(bucket.account, R2, bucket.id, lambda _: (bucket.name, kept))

    def open(self, bucket: Target) -> "Objects":
        """Return the objects of a bucket."""
        return Objects(self._runtime, bucket.key)


class Objects:
    """Read and write the objects of one bucket.

    Args:
        key: the bucket's key in the stores.
    """

    def __init__(self, runtime: Runtime, key: str) -> None:
        self._runtime = runtime
        self._key = key

    async def get(self, key: str) -> StoredObject:
        """Return an object with its content. Refusal: 10007, it does not exist."""
        described, content = await self._read({"method": "get", "object": key})
        return _read_object(described, content)

    async def put(self, key: str, content: bytes, http: Mapping[str, str]) -> StoredObject:
        """Store an object with its HTTP metadata, by the names of headers."""
        request = {"method": "put", "object": key, "httpFields": _write_http(http)}
        return _read_object((await self._write(request, content))[0])

    async def delete(self, key: str) -> None:
        """Delete an object, which need not exist."""
        await self._write({"method": "delete", "object": key})

    async def list(
        self, *, limit: int, **query: str
    ) -> tuple[list[StoredObject], list[str], str | None]:
        """Return a page of objects, the prefixes that a delimiter makes, and the next cursor."""
        given = {name: value for name, value in query.items() if value}
        # The stores return at most 100 objects with their metadata.
        request = {"method": "list", "limit": limit, "include": [0, 1], **given}
        listed, _ = await self._read(request)
        objects = [_read_object(each) for each in listed["objects"]]
        return objects, listed["delimitedPrefixes"], listed.get("cursor")

    async def _read(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        headers = {"cf-r2-request": json.dumps(request)}
        return _split(
            await self._runtime.ask_store(StoreRequest("r2", self._key, "GET", "/", headers))
        )

    async def _write(
        self, request: Mapping[str, Any], content: bytes = b""
    ) -> tuple[dict[str, Any], bytes]:
        described = json.dumps(request).encode()
        headers = {"cf-r2-metadata-size": str(len(described))}
        whole = StoreRequest("r2", self._key, "PUT", "/", headers, described + content)
        return _split(await self._runtime.ask_store(whole))


def _split(answer: StoreAnswer) -> tuple[dict[str, Any], bytes]:
    """Return the description and the content of an answer.

    Raises:
        Refusal: with the stores' status, code and text, which are those of R2.
    """
    error = answer.headers.get("cf-r2-error")
    if error or answer.status >= 400:
        raise _read_error(answer.status, error)
    size = int(answer.headers.get("cf-r2-metadata-size", len(answer.body)))
    described = json.loads(answer.body[:size] or b"{}")
    return described, answer.body[size:]


def _read_error(status: int, error: str | None) -> Refusal:
    described = json.loads(error or "{}")
    if described.get("v4code") == object_missing.code:
        return object_missing()
    code = described.get("v4code") or 10001
    return refusal(status, code, described.get("message") or "The object cannot be stored.")


def _write_http(headers: Mapping[str, str]) -> dict[str, Any]:
    """Return HTTP metadata as the stores read it. An invalid `expires` is ignored, as R2 does."""
    fields: dict[str, Any] = {
        field: headers[name] for name, field in _HTTP_FIELDS.items() if headers.get(name)
    }
    expires = read_time(headers.get("expires"))
    return fields if expires is None else {**fields, "cacheExpiry": expires}


def _read_object(described: Mapping[str, Any], content: bytes = b"") -> StoredObject:
    fields = described.get("httpFields") or {}
    http = {name: fields[field] for name, field in _HTTP_FIELDS.items() if fields.get(field)}
    if fields.get("cacheExpiry"):
        http["expires"] = http_time(fields["cacheExpiry"])
    return StoredObject(
        described["name"],
        described["version"],
        described["size"],
        described["etag"],
        described["uploaded"],
        http,
        {each["k"]: each["v"] for each in described.get("customFields") or []},
        content,
    )


def read_time(text: str | None) -> int | None:
    """Return an HTTP date in milliseconds since 1970, or None."""
    try:
        return int(parsedate_to_datetime(text).timestamp()) * 1000 if text else None
    except (ValueError, OverflowError):
        return None


def http_time(milliseconds: int) -> str:
    """Return a time as an HTTP date."""
    return format_datetime(datetime.fromtimestamp(milliseconds // 1000, UTC), usegmt=True)


def iso_time(milliseconds: int) -> str:
    """Return a time as JSON answers show it."""
    shown = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return shown.isoformat(timespec="milliseconds").replace("+00:00", "Z")
