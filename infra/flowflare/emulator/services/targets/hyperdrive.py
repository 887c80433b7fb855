"""Describe Hyperdrive configurations, whose passwords no answer shows."""

from typing import Any

from flowflare.emulator.envelope import Refusal, refusal
from flowflare.emulator.services.targets.target import Target, TargetKind

_SECRET = ("password", "access_client_secret")


def hyperdrive_exists(name: str) -> Refusal:
    """Return the error for a Hyperdrive name that the account already uses.

    It is our interpretation.
    """
    return refusal(409, 2017, f"A Hyperdrive config with the given name '{name}' already exists")


def hyperdrive_missing() -> Refusal:
    """Return the error for an unknown Hyperdrive configuration ID.

    It is our interpretation.
    """
    return refusal(404, 2001, "Could not find a Hyperdrive config with the given id")


def hyperdrive_in_binding(binding: str, identity: str) -> Refusal:
    """Return the error for a binding to an unknown Hyperdrive configuration.

    The text is our interpretation.
    """
    return refusal(
        400,
        10157,
        f"Hyperdrive binding '{binding}' references config '{identity}' which was not found",
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
