"""Describe Hyperdrive configurations, whose passwords no answer shows."""

from typing import Any

from flowflare.emulator.envelope import Code
from flowflare.emulator.services.targets.target import Target, TargetKind

_SECRET = ("password", "access_client_secret")


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


def _view(target: Target, _: object) -> dict[str, Any]:
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
)
