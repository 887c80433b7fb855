"""Describe the kinds of binding targets: their paths, names and error messages."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flowflare.emulator import target_codes as codes
from flowflare.emulator.envelope import Refusal

Name = Literal["kv", "r2", "queue", "hyperdrive", "vectorize"]


@dataclass(frozen=True)
class Target:
    """Describe one target in an account.

    Attributes:
        id: its ID in paths and bindings; its name if Cloudflare assigns no ID.
        key: its key in workerd, which is never reused.
        record: its other properties.
    """

    account: str
    kind: Name
    id: str
    name: str
    key: str
    created_on: str
    record: Mapping[str, Any]


@dataclass(frozen=True)
class TargetKind:
    """Describe a kind of target.

    Attributes:
        path: the path below the account.
        title: the field that holds the name.
        called_by: what paths contain: the assigned ID, or the name.
        listed: the key of the list in an answer's result; empty if the result is the list.
        view: renders a target for answers; the second argument is the scripts bound to it.
        exists: the error for a name that already exists.
        missing: the error for an unknown ID.
        check: refuses an invalid name or property.
    """

    name: Name
    path: str
    title: str
    called_by: Literal["id", "name"]
    listed: str
    view: Callable[[Target, list[str]], dict[str, Any]]
    exists: Callable[[str], Refusal]
    missing: Callable[[], Refusal]
    check: Callable[[str, Mapping[str, Any]], None] = lambda _name, _record: None


def _view_namespace(target: Target, _: list[str]) -> dict[str, Any]:
    return {"id": target.id, "title": target.name, "supports_url_encoding": True}


def _view_bucket(target: Target, _: list[str]) -> dict[str, Any]:
    return {
        "name": target.name,
        "creation_date": target.created_on,
        "location": str(target.record.get("locationHint") or "weur").lower(),
        "storage_class": target.record.get("storageClass") or "Standard",
        "jurisdiction": "default",
    }


def _view_queue(target: Target, scripts: list[str]) -> dict[str, Any]:
    settings = {"delivery_delay": 0, "delivery_paused": False, "message_retention_period": 345600}
    return {
        "queue_id": target.id,
        "queue_name": target.name,
        "created_on": target.created_on,
        "modified_on": target.created_on,
        "producers": [{"type": "worker", "script": script} for script in scripts],
        "producers_total_count": len(scripts),
        "settings": {**settings, **(target.record.get("settings") or {})},
    }


def _view_hyperdrive(target: Target, _: list[str]) -> dict[str, Any]:
    origin = target.record.get("origin")
    properties = origin.items() if isinstance(origin, dict) else ()
    return {
        "id": target.id,
        "name": target.name,
        "origin": {key: value for key, value in properties if key not in _SECRET},
        "caching": target.record.get("caching") or {"disabled": False},
        "created_on": target.created_on,
        "modified_on": target.created_on,
    }


def _view_index(target: Target, _: list[str]) -> dict[str, Any]:
    return {
        "name": target.name,
        "description": target.record.get("description") or "",
        "config": target.record.get("config") or {},
        "created_on": target.created_on,
        "modified_on": target.created_on,
    }


def _check_namespace(title: str, _: Mapping[str, Any]) -> None:
    if len(title.encode()) > _LONGEST_TITLE:
        raise codes.title_too_long()


def _check_bucket(name: str, record: Mapping[str, Any]) -> None:
    if not _BUCKET_NAME.fullmatch(name):
        raise codes.bucket_name_invalid()
    if record.get("storageClass", "Standard") not in ("Standard", "InfrequentAccess"):
        raise codes.storage_class_invalid()


def _check_queue(name: str, _: Mapping[str, Any]) -> None:
    if not _QUEUE_NAME.fullmatch(name):
        raise codes.queue_name_invalid()


_LONGEST_TITLE = 512
_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_QUEUE_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_SECRET = ("password", "access_client_secret")
KINDS: tuple[TargetKind, ...] = (
    TargetKind(
        "kv",
        "/storage/kv/namespaces",
        "title",
        "id",
        "",
        _view_namespace,
        lambda _: codes.namespace_exists(),
        codes.namespace_missing,
        _check_namespace,
    ),
    TargetKind(
        "r2",
        "/r2/buckets",
        "name",
        "name",
        "buckets",
        _view_bucket,
        lambda _: codes.bucket_exists(),
        codes.bucket_missing,
        _check_bucket,
    ),
    TargetKind(
        "queue",
        "/queues",
        "queue_name",
        "id",
        "",
        _view_queue,
        codes.queue_exists,
        codes.queue_missing,
        _check_queue,
    ),
    TargetKind(
        "hyperdrive",
        "/hyperdrive/configs",
        "name",
        "id",
        "",
        _view_hyperdrive,
        codes.hyperdrive_exists,
        codes.hyperdrive_missing,
    ),
    TargetKind(
        "vectorize",
        "/vectorize/v2/indexes",
        "name",
        "name",
        "",
        _view_index,
        lambda _: codes.index_exists(),
        codes.index_missing,
    ),
)
