"""Describe Hyperdrive configurations, whose passwords no answer shows."""

from collections.abc import Mapping
from typing import Any

from flowflare.emulator import codes
from flowflare.emulator.envelope import Code
from flowflare.emulator.services.targets.target import Record, Target, TargetKind, pop_name

_SECRET = ("password", "access_client_secret")
_REQUIRED = ("database", "password", "scheme", "user")
_SCHEMES = ("postgres", "postgresql", "mysql")
#: The fields that locate a public database, a database behind Access, or a Workers VPC service.
_LOCATIONS = (
    {"host", "port"},
    {"host", "access_client_id", "access_client_secret"},
    {"service_id"},
)
_LOCATION = set().union(*_LOCATIONS)


hyperdrive_exists = Code(
    409,
    2017,
    "A Hyperdrive config with the given name '{name}' already exists",
    "a Hyperdrive name that the account already uses. It is our interpretation.",
)
hyperdrive_missing = Code(
    404,
    2001,
    "Could not find a Hyperdrive config with the given id",
    "an unknown Hyperdrive configuration ID. It is our interpretation.",
)
hyperdrive_in_binding = Code(
    400,
    10157,
    "Hyperdrive binding '{binding}' references config '{name}' which was not found",
    "a binding to an unknown Hyperdrive configuration. The text is our interpretation.",
)


def _read_origin(record: Record) -> Record:
    origin = record.get("origin")
    return origin if isinstance(origin, dict) else {}


def _view(target: Target, _: object) -> dict[str, Any]:
    record = target.record
    origin = _read_origin(record)
    optional = ("mtls", "origin_connection_limit")
    return {
        "id": target.id,
        "name": target.name,
        "origin": {key: value for key, value in origin.items() if key not in _SECRET},
        "caching": {"disabled": False, **(record.get("caching") or {})},
        **{key: record[key] for key in optional if record.get(key) is not None},
        "created_on": target.created_on,
        "modified_on": target.created_on,
    }


def _check(_: str, record: Record) -> None:
    origin = _read_origin(record)
    missing = [key for key in _REQUIRED if not origin.get(key)]
    if missing:
        raise codes.invalid_body(f"`origin` has no {', '.join(missing)}.")
    if origin["scheme"] not in _SCHEMES:
        raise codes.invalid_body(f"`origin.scheme` must be one of {', '.join(_SCHEMES)}.")
    if origin.keys() & _LOCATION not in _LOCATIONS:
        raise codes.invalid_body(
            "`origin` must have host and port, host and an Access token, or a service_id."
        )


def _replace(target: Target, body: dict[str, Any], _: Mapping[str, str]) -> tuple[str, Record]:
    """Return what a PUT stores: the whole configuration, which must contain the password."""
    del target
    return pop_name(body, "name"), body


def _edit(target: Target, body: dict[str, Any], _: Mapping[str, str]) -> tuple[str, Record]:
    """Return what a PATCH stores: missing fields, also the password, keep their values."""
    name = pop_name({"name": target.name, **body}, "name")
    changes = _read_origin(body)
    origin = dict(_read_origin(target.record))
    if changes.keys() & _LOCATION:
        origin = {key: value for key, value in origin.items() if key not in _LOCATION}
    rest = {key: value for key, value in body.items() if key != "name"}
    return name, {**target.record, **rest, "origin": {**origin, **changes}}


HYPERDRIVE = TargetKind(
    name="hyperdrive",
    words="Hyperdrive configurations",
    path="/hyperdrive/configs",
    binding="hyperdrive",
    bound_by="id",
    view=_view,
    exists=hyperdrive_exists,
    missing=hyperdrive_missing,
    unbound=hyperdrive_in_binding,
    updates={"PUT": _replace, "PATCH": _edit},
    check=_check,
)
