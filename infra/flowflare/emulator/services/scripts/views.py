"""Render scripts for answers, which never contain a secret's value."""

from collections.abc import Mapping, Sequence
from typing import Any

from flowflare.emulator.services.scripts.bindings import owner, without_secrets
from flowflare.emulator.services.scripts.classes import Ledger
from flowflare.emulator.services.scripts.in_use import References
from flowflare.emulator.services.scripts.script import SCRIPT_SETTINGS, Module, Script

_BOUNDARY = "emulator-{etag}"
# The settings of a script that was uploaded without them. `observability` is not shown then: the
# Terraform provider would plan to remove it.
_DEFAULTS = {
    "logpush": False,
    # Terraform's provider 5.22 panics without it, and the official SDK has no type for it.
    "placement": {},
    "tags": [],
    "tail_consumers": [],
    "usage_model": "standard",
}
# Parts of an upload's metadata that the API does not return as settings.
_NOT_SETTINGS = ("annotations", "assets", "exports", "implied", "keep_assets")
_REQUIRED = ("compatibility_date", "compatibility_flags")
_LISTED = (*_DEFAULTS, "observability", *_REQUIRED)


def view_upload(script: Script) -> dict[str, Any]:
    """Render the answer to an upload."""
    return {
        **view_in_list(script),
        "startup_time_ms": 1,
        "deployment_id": script.deployment_id,
        "last_deployed_from": script.deployed_from,
    }


def view_in_list(script: Script) -> dict[str, Any]:
    """Render one script of the list of scripts."""
    metadata = script.metadata
    view = {
        "id": script.name,
        "tag": script.tag,
        "etag": script.etag,
        "created_on": script.created_on,
        "modified_on": script.modified_on,
        "has_assets": bool(metadata.get("assets")),
        "has_modules": not script.service_worker,
        "handlers": script.handlers,
        "named_handlers": script.named_handlers,
        **_select_settings(metadata, _LISTED),
    }
    if script.migration_tag is not None:
        view["migration_tag"] = script.migration_tag
    return view


def view_service(script: Script) -> dict[str, Any]:
    """Render the script as a service, where clients read the live migration tag."""
    environment = {
        "environment": "production",
        "created_on": script.created_on,
        "modified_on": script.modified_on,
        "script": {
            **view_in_list(script),
            "last_deployed_from": script.deployed_from,
            "deployment_id": script.deployment_id,
            "startup_time_ms": 1,
        },
    }
    return {
        "id": script.name,
        "default_environment": environment,
        "created_on": script.created_on,
        "modified_on": script.modified_on,
        "usage_model": script.metadata.get("usage_model") or "standard",
        "environments": [{key: environment[key] for key in list(environment)[:3]}],
    }


def settings(script: Script, ledger: Ledger) -> dict[str, Any]:
    """Render the live version's settings with its bindings; secrets have no values."""
    view: dict[str, Any] = {
        **_list_settings(script.metadata),
        "bindings": [_view_binding(binding, script, ledger) for binding in script.bindings],
    }
    if script.migration_tag is not None:
        view["migration_tag"] = script.migration_tag
    return view


def view_script_settings(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Render the settings that hold for all versions of a script."""
    return _select_settings(metadata, SCRIPT_SETTINGS)


def _list_settings(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """List what an upload set, also settings that are new to the API, and the defaults."""
    hidden = {*_NOT_SETTINGS, *metadata.get("implied", ())}
    stored = {
        key: value
        for key, value in metadata.items()
        if key not in hidden and (value or key in _REQUIRED)
    }
    return {**_DEFAULTS, **stored}


def _select_settings(metadata: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    found = _list_settings(metadata)
    return {key: found[key] for key in keys if key in found}


def view_references(
    script: Script, incoming_references: References, ledger: Ledger
) -> dict[str, Any]:
    """Render which scripts refer to the script, and which it refers to."""
    outgoing = [
        {"service": binding["service"], "environment": "production", "name": binding["name"]}
        for binding in script.bindings
        if binding["type"] == "service"
    ]
    incoming = [
        {"service": other, "environment": "production", "name": name}
        for other, name in incoming_references.services
    ]
    objects = [
        {
            "service": other,
            "environment": "production",
            "name": name,
            "durable_object_namespace_id": ledger[script.name, class_name].id,
            "durable_object_namespace_name": f"{script.name}_{class_name}",
        }
        for other, name, class_name in incoming_references.objects
        if (script.name, class_name) in ledger
    ]
    return {
        "services": {"incoming": incoming, "outgoing": outgoing, "pages_function": False},
        "durable_objects": objects,
        "dispatch_outbounds": [],
    }


def render_content(script: Script, modules: Sequence[Module]) -> tuple[bytes, str]:
    """Render the script's modules as a multipart body, the main module first.

    Returns:
        the body and its content type.
    """
    boundary = _BOUNDARY.format(etag=script.etag[:32])
    parts = []
    for module in modules:
        if module.is_source_map:
            continue
        head = (
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="{module.name}"; filename="{module.name}"\r\n'
            f"Content-Type: {module.content_type}\r\n\r\n"
        )
        parts.append(head.encode() + module.content + b"\r\n")
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"


def _view_binding(binding: Any, script: Script, ledger: Ledger) -> dict[str, Any]:
    view = without_secrets(binding)
    if view["type"] == "durable_object_namespace":
        namespace = ledger.get((owner(binding, script.name), str(binding.get("class_name"))))
        if namespace:
            view["namespace_id"] = namespace.id
    return view
