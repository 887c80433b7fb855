"""Treat states, secrets and IDs as Cloudflare's plugin does, as its recorded states show it.

This is written by hand, for tests: it uses nothing of the code under test. What the recordings do
not show is from the sources of pulumi-terraform-bridge (`pkg/tfbridge/rawstate.go`,
`pkg/pf/tfbridge/resource_state.go`) and of terraform-provider-cloudflare 5.22.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flowflare.values.properties import Secret, Value, plain

RECORDED = Path(__file__).parent / "recordings" / "pulumi-cloudflare-6.23"
D1 = "cloudflare:index/d1Database:D1Database"
CRONS = "cloudflare:index/workersCronTrigger:WorkersCronTrigger"
SUBDOMAIN = "cloudflare:index/workersScriptSubdomain:WorkersScriptSubdomain"
SCRIPT = "cloudflare:index/workersScript:WorkersScript"
QUEUE_CONSUMER = "cloudflare:index/queueConsumer:QueueConsumer"
#: The types whose Pulumi ID is the account ID: `resourcesWithMissingID` in `provider/resources.go`
#: of pulumi-cloudflare.
NAMED_BY_ACCOUNT = frozenset({SUBDOMAIN, QUEUE_CONSUMER})
META, DELTA = "__meta", "__pulumi_raw_state_delta"
# The plugin deletes these without an API call. It sends a DELETE for scripts, databases, Workflows
# and subdomains (`recordings/destroy.jsonl`, and `9-destroy-refused` of 6.23) and, according to its
# source, for routes and custom domains.
DELETED_SILENTLY = frozenset({CRONS})
SENSITIVE = frozenset({"text", "keyBase64", "keyJwk"})
STATES = ("1-first-up", "5-refresh")
Props = dict[str, Any]


class UnreadableError(Exception):
    """A state that the plugin cannot read."""


def list_keys_by_name() -> dict[str, list[frozenset[str]]]:
    """List the output keys of every Cloudflare resource in the recorded states, by its name."""
    found: dict[str, list[frozenset[str]]] = {}
    for state in STATES:
        exported = json.loads((RECORDED / f"{state}.state.json").read_text("utf-8"))
        for resource in exported["deployment"]["resources"]:
            if resource["type"].startswith("cloudflare:"):
                keys = frozenset(resource["outputs"])
                found.setdefault(resource["urn"].rpartition("::")[2], []).append(keys)
    return found


def list_computed(type_: str) -> frozenset[str]:
    """List the attributes that any recorded resource of a type has."""
    found: set[str] = set()
    for state in STATES:
        exported = json.loads((RECORDED / f"{state}.state.json").read_text("utf-8"))
        for resource in exported["deployment"]["resources"]:
            if resource["type"] == type_:
                found |= resource["outputs"].keys() - {META, DELTA}
    return frozenset(found)


def to_outputs(type_: str, attributes: Mapping[str, Any], id_: str) -> tuple[str, Props]:
    """Return Pulumi's ID and the outputs that the plugin answers.

    Args:
        type_: the resource's type.
        attributes: its attributes.
        id_: Terraform's ID of the resource.
    """
    kept = {key: value for key, value in attributes.items() if not key.startswith("__")}
    known = list_computed(type_)
    if known:  # routes and custom domains are not in the recordings
        kept = {key: value for key, value in kept.items() if key in known}
    # Terraform's queue consumer has no `id` (`queue_consumer/schema.go`).
    outputs = kept if type_ == QUEUE_CONSUMER else {**kept, "id": id_}
    stored = {**outputs, META: '{"schema_version":"500"}', DELTA: _delta(outputs)}
    return (str(attributes["accountId"]) if type_ in NAMED_BY_ACCOUNT else id_), stored


def read_state(type_: str, outputs: Mapping[str, Any]) -> str:
    """Return Terraform's ID in a state of plain values.

    Raises:
        UnreadableError: an attribute of the plugin is missing, or Terraform's state cannot be
            restored from it.
    """
    if META not in outputs:  # read as a state of version 4 of Terraform's provider, and upgraded
        if type_ == D1:
            raise UnreadableError("missing required database_id")
        return "{<nil>}"
    if json.loads(outputs[META]).get("schema_version") != "500":
        raise UnreadableError(f"the state of {type_} was created by a newer provider version")
    if DELTA in outputs:
        recover(plain(outputs[DELTA]), {k: v for k, v in outputs.items() if k not in (META, DELTA)})
    return str(outputs.get("id") or "{<nil>}")


def recover(delta: Any, value: Any) -> Any:
    """Restore Terraform's state from a value and its delta.

    Raises:
        UnreadableError: the two do not match.
    """
    if not delta:
        if isinstance(value, dict):
            raise UnreadableError("cannot process Object values due to map vs object confusion")
        return [recover(None, item) for item in value] if isinstance(value, list) else value
    [(kind, rest)] = delta.items()
    if kind == "replace":
        return rest["raw"]
    if kind == "arr":
        items = rest.get("el", {})
        if not isinstance(value, list) or any(int(index) >= len(value) for index in items):
            raise UnreadableError("Data integrity error: the delta does not apply cleanly")
        return [recover(items.get(str(index)), item) for index, item in enumerate(value)]
    if not isinstance(value, dict):
        raise UnreadableError("expected PropertyValue to be an Object encoding a Terraform object")
    parts = rest.get("ps" if kind == "obj" else "el", {})
    found = {key: recover(parts.get(key), item) for key, item in value.items()}
    found |= {key: recover(part, None) for key, part in parts.items() if key not in value}
    return {_snake(key) if kind == "obj" else key: item for key, item in found.items()}


def mark_secrets(inputs: Mapping[str, Any]) -> Props:
    """Return checked inputs as the plugin does: what the schema calls sensitive is secret."""
    bindings = inputs.get("bindings")
    is_secret = isinstance(bindings, Secret)
    items = bindings.value if isinstance(bindings, Secret) else bindings
    if not isinstance(items, list):
        return dict(inputs)
    marked = [_mark_binding(item) if isinstance(item, dict) else item for item in items]
    secret = is_secret or any(
        isinstance(value, Secret)
        for binding in marked
        if isinstance(binding, dict)
        for value in binding.values()
    )
    return {**inputs, "bindings": Secret(marked) if secret else marked}


def _mark_binding(binding: Mapping[str, Value]) -> Props:
    return {
        key: Secret(value) if key in SENSITIVE and isinstance(value, str) else value
        for key, value in binding.items()
    }


def _delta(value: Value) -> Any:
    if isinstance(value, Secret):
        return _delta(value.value)
    if isinstance(value, list):
        items = {str(index): _delta(item) for index, item in enumerate(value)}
        parts = {index: item for index, item in items.items() if item}
        return {"arr": {"el": parts}} if parts else None
    if not isinstance(value, dict):
        return None
    parts = {key: found for key, item in value.items() if (found := _delta(item))}
    return {"obj": {"ps": parts} if parts else {}}


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: "_" + found[1].lower(), name)
