"""Describe R2 buckets, which are called and bound by their names."""

import re
from collections.abc import Mapping
from typing import Any

from flowflare.emulator.envelope import Code
from flowflare.emulator.services.targets.target import Record, Target, TargetKind, run_by_key

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
#: The header that holds the new storage class of a bucket.
STORAGE_CLASS = "cf-r2-storage-class"
_JURISDICTION = "cf-r2-jurisdiction"
_JURISDICTIONS = ("default", "eu", "us", "fedramp", "fedramp-high")
_LOCATIONS = ("apac", "eeur", "enam", "weur", "wnam", "oc")


bucket_exists = Code(
    409,
    10004,
    "The bucket you tried to create already exists, and you own it.",
    "an R2 bucket name that the account already uses.",
)
bucket_missing = Code(
    404, 10006, "The specified bucket does not exist.", "an unknown R2 bucket name."
)
bucket_name_invalid = Code(
    400, 10005, "The specified bucket name is not valid.", "an invalid R2 bucket name."
)
bucket_in_binding = Code(
    400,
    10085,
    "R2 bucket '{name}' not found. Please use a different name and try again.",
    "a binding to an unknown R2 bucket.",
)
bucket_not_empty = Code(
    409,
    10008,
    "The bucket you tried to delete ({name}) is not empty (account {account}).",
    "deleting an R2 bucket that holds objects. The status is our interpretation.",
)
storage_class_invalid = Code(
    400,
    10062,
    "The storage class must be Standard or InfrequentAccess.",
    "an unknown storage class. Code and text are our interpretation.",
)


malformed = Code(
    400,
    10040,
    "The JSON you provided was not well formed.",
    "an unknown location or jurisdiction of an R2 bucket, or invalid rules. The trace shows code "
    "and text for CORS rules; for the others it is our interpretation.",
    trace="cloudflare/workers-sdk #8486",
)


def read_storage_class(record: Record) -> str:
    """Return the storage class of a bucket, which is that of its objects."""
    return record.get("storageClass") or "Standard"


def _read_jurisdiction(headers: Mapping[str, str]) -> str:
    """Return the jurisdiction that a request names. Refusal: 10040, it is unknown."""
    jurisdiction = headers.get(_JURISDICTION, "default")
    if jurisdiction not in _JURISDICTIONS:
        raise malformed()
    return jurisdiction


def _is_visible(bucket: Target, headers: Mapping[str, str]) -> bool:
    return bool(bucket.record.get("jurisdiction", "default") == _read_jurisdiction(headers))


def require_jurisdiction(bucket: Target, headers: Mapping[str, str]) -> None:
    """Refuse a request for a bucket of another jurisdiction. Refusal: 10006."""
    if not _is_visible(bucket, headers):
        raise bucket_missing()


def _create(record: Record, headers: Mapping[str, str]) -> Record:
    return {**record, "jurisdiction": _read_jurisdiction(headers)}


def _view(target: Target, _: object) -> dict[str, Any]:
    return {
        "name": target.name,
        "creation_date": target.created_on,
        "location": str(target.record.get("locationHint") or "weur").lower(),
        "storage_class": read_storage_class(target.record),
        "jurisdiction": target.record.get("jurisdiction", "default"),
    }


def _check(name: str, record: Record) -> None:
    if not _NAME.fullmatch(name):
        raise bucket_name_invalid()
    if record.get("storageClass", "Standard") not in ("Standard", "InfrequentAccess"):
        raise storage_class_invalid()
    location = record.get("locationHint")
    if location and str(location).lower() not in _LOCATIONS:
        raise malformed()


R2 = TargetKind(
    name="r2",
    words="R2 buckets",
    path="/r2/buckets",
    called_by="name",
    listed="buckets",
    binding="r2_bucket",
    bound_by="bucket_name",
    view=_view,
    exists=bucket_exists,
    missing=bucket_missing,
    unbound=bucket_in_binding,
    updates={
        "PATCH": lambda target, _, headers: (
            target.name,
            {**target.record, "storageClass": headers.get(STORAGE_CLASS, "")},
        )
    },
    check=_check,
    not_empty=bucket_not_empty,
    run=run_by_key,
    create=_create,
    is_visible=_is_visible,
    deleted={},
)
