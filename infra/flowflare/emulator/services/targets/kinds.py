"""The kinds of things that bindings point to: their paths, their names, their words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flowflare.emulator import target_codes as codes
from flowflare.emulator.envelope import Refusal

Name = Literal["kv", "r2", "queue", "hyperdrive", "vectorize"]


@dataclass(frozen=True)
class Target:
    """One thing of an account.

    Attributes:
        id: what paths and bindings call it; its name where Cloudflare gives no id.
        key: what workerd knows it by: never used again.
        record: what else it was made with.
    """

    account: str
    kind: Name
    id: str
    name: str
    key: str
    created_on: str
    record: Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """A kind of things.

    Attributes:
        path: below the account.
        title: the field that holds the name.
        called_by: what paths call it: an id that Cloudflare gives, or its name.
        listed: the key of the list in an answer's result, empty where the result is the list.
        view: how one looks in answers; the scripts bound to it are the second argument.
        exists: the refusal of a name that is taken.
        missing: the refusal of an id that nothing has.
    """

    name: Name
    path: str
    title: str
    called_by: Literal["id", "name"]
    listed: str
    view: Callable[[Target, list[str]], dict[str, Any]]
    exists: Callable[[str], Refusal]
    missing: Callable[[], Refusal]


def _namespace(target: Target, _: list[str]) -> dict[str, Any]:
    return {"id": target.id, "title": target.name, "supports_url_encoding": True}


def _bucket(target: Target, _: list[str]) -> dict[str, Any]:
    return {
        "name": target.name,
        "creation_date": target.created_on,
        "location": str(target.record.get("locationHint") or "weur").lower(),
        "storage_class": target.record.get("storageClass") or "Standard",
        "jurisdiction": "default",
    }


def _queue(target: Target, scripts: list[str]) -> dict[str, Any]:
    settings = {"delivery_delay": 0, "delivery_paused": False, "message_retention_period": 345600}
    return {
        "queue_id": target.id,
        "queue_name": target.name,
        "created_on": target.created_on,
        "modified_on": target.created_on,
        "producers": [{"type": "worker", "script": each} for each in scripts],
        "producers_total_count": len(scripts),
        "consumers": [],
        "consumers_total_count": 0,
        "settings": {**settings, **(target.record.get("settings") or {})},
    }


def _hyperdrive(target: Target, _: list[str]) -> dict[str, Any]:
    origin = target.record.get("origin")
    shown = origin.items() if isinstance(origin, dict) else ()
    return {
        "id": target.id,
        "name": target.name,
        "origin": {key: value for key, value in shown if key not in _SECRET},
        "caching": target.record.get("caching") or {"disabled": False},
        "created_on": target.created_on,
        "modified_on": target.created_on,
    }


def _index(target: Target, _: list[str]) -> dict[str, Any]:
    return {
        "name": target.name,
        "description": target.record.get("description") or "",
        "config": target.record.get("config") or {},
        "created_on": target.created_on,
        "modified_on": target.created_on,
    }


_SECRET = ("password", "access_client_secret")
KINDS: tuple[Kind, ...] = (
    Kind(
        "kv",
        "/storage/kv/namespaces",
        "title",
        "id",
        "",
        _namespace,
        lambda _: codes.namespace_exists(),
        codes.namespace_missing,
    ),
    Kind(
        "r2",
        "/r2/buckets",
        "name",
        "name",
        "buckets",
        _bucket,
        lambda _: codes.bucket_exists(),
        codes.bucket_missing,
    ),
    Kind(
        "queue", "/queues", "queue_name", "id", "", _queue, codes.queue_exists, codes.queue_missing
    ),
    Kind(
        "hyperdrive",
        "/hyperdrive/configs",
        "name",
        "id",
        "",
        _hyperdrive,
        codes.hyperdrive_exists,
        codes.hyperdrive_missing,
    ),
    Kind(
        "vectorize",
        "/vectorize/v2/indexes",
        "name",
        "name",
        "",
        _index,
        lambda _: codes.index_exists(),
        codes.index_missing,
    ),
)
