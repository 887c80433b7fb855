"""What the Node child shall run for a script: its code, bindings and port as one JSON document.

Names inside workerd are made of account and script, Durable Objects and Workflows are known by
their ids: two accounts never meet, and what was deleted is never found again. A binding whose
target is gone is left out.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flowflare.emulator.services.routing.patterns import Pattern
from flowflare.emulator.services.scripts.bindings import owner
from flowflare.emulator.services.scripts.classes import Ledger
from flowflare.emulator.services.scripts.script import Binding, Module, Script
from flowflare.emulator.services.workflows.store import Workflow

_MODULE_TYPES = {
    "application/javascript+module": "ESModule",
    "text/javascript+module": "ESModule",
    "application/javascript": "CommonJS",
    "text/javascript": "CommonJS",
    "application/wasm": "CompiledWasm",
    "text/plain": "Text",
    "application/json": "JSON",
}
_TEXTUAL = {"ESModule", "CommonJS", "Text", "JSON"}


@dataclass(frozen=True)
class Contents:
    """All that an account has, as far as workerd is concerned."""

    account: str
    scripts: Mapping[str, Script]
    ledger: Ledger
    workflows: Mapping[str, Workflow]
    databases: frozenset[str]
    ports: Mapping[str, int]
    targets: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """What workerd knows a KV namespace, R2 bucket or queue by, by kind and what bindings say."""
    patterns: Mapping[str, Sequence[Pattern]] = field(default_factory=dict)
    """What each script answers besides its own address: routes and custom domains."""


def key_of(account: str, script: str) -> str:
    """A script's name inside workerd."""
    return f"{account}-{script}"


def code_of(script: Script) -> str:
    """The name under which the child keeps a script's modules."""
    return script.etag


def module_document(module: Module) -> dict[str, Any]:
    """A module as the child takes it."""
    kind = _MODULE_TYPES.get(module.content_type.split(";")[0], "Data")
    document: dict[str, Any] = {"name": module.name, "type": kind}
    if kind in _TEXTUAL:
        return document | {"text": module.content.decode(errors="replace")}
    return document | {"base64": base64.b64encode(module.content).decode()}


def worker_document(script: Script, contents: Contents) -> dict[str, Any]:
    """What the child shall run for a script."""
    by_type: dict[str, list[Binding]] = {}
    for each in script.bindings:
        by_type.setdefault(str(each["type"]), []).append(each)
    bound = by_type.get("durable_object_namespace", [])
    return {
        "key": key_of(script.account, script.name),
        "script": script.name,
        "port": contents.ports[script.name],
        "enabled": script.enabled,
        "service_worker": script.service_worker,
        "code": code_of(script),
        "compatibility_date": script.metadata["compatibility_date"],
        "compatibility_flags": script.metadata["compatibility_flags"],
        "has_default": any(each.name == "default" for each in script.exports),
        "vars": _variables(by_type),
        "d1": _databases(by_type.get("d1", []), contents),
        "objects": _objects(bound, script, contents),
        "unbound_objects": _unbound(bound, script, contents),
        "services": _services(by_type.get("service", []), contents),
        "workflows": _workflows(by_type.get("workflow", []), contents),
        "workflow_names": _workflow_names(script, contents),
        "kv": _targets(by_type, "kv_namespace", "kv", "namespace_id", contents),
        "r2": _targets(by_type, "r2_bucket", "r2", "bucket_name", contents),
        "queues": _targets(by_type, "queue", "queue", "queue_name", contents),
        "datasets": {
            str(each["name"]): str(each.get("dataset"))
            for each in by_type.get("analytics_engine", [])
        },
        "rate_limits": {
            str(each["name"]): {
                "namespace_id": f"{contents.account}-{each.get('namespace_id')}",
                "simple": each.get("simple"),
            }
            for each in by_type.get("ratelimit", [])
        },
        "version_metadata": [str(each["name"]) for each in by_type.get("version_metadata", [])],
        "answers": [vars(each) for each in contents.patterns.get(script.name, ())],
    }


def down_document(script: Script, port: int, problem: str) -> dict[str, Any]:
    """What the child shall know of a script that cannot be run: where it is asked, and why not."""
    return {
        "key": key_of(script.account, script.name),
        "script": script.name,
        "port": port,
        "enabled": script.enabled,
        "code": "",
        "answers": [],
        "down": f"The Worker '{script.name}' cannot be run: {problem}.",
    }


def _targets(
    by_type: Mapping[str, list[Binding]], type_: str, kind: str, key: str, contents: Contents
) -> dict[str, str]:
    return {
        str(each["name"]): contents.targets[kind, str(each.get(key))]
        for each in by_type.get(type_, [])
        if (kind, str(each.get(key))) in contents.targets
    }


def _variables(by_type: Mapping[str, list[Binding]]) -> dict[str, Any]:
    texts = [*by_type.get("plain_text", []), *by_type.get("secret_text", [])]
    return {str(each["name"]): each["text"] for each in texts} | {
        str(each["name"]): each.get("json") for each in by_type.get("json", [])
    }


def _databases(bindings: Sequence[Binding], contents: Contents) -> dict[str, str]:
    ids = {str(each["name"]): str(each.get("id") or each.get("database_id")) for each in bindings}
    return {name: uuid for name, uuid in ids.items() if uuid in contents.databases}


def _objects(
    bindings: Sequence[Binding], script: Script, contents: Contents
) -> dict[str, dict[str, Any]]:
    objects = {}
    for each in bindings:
        host = owner(each, script.name)
        found = contents.ledger.get((host, str(each["class_name"])))
        if found and host in contents.scripts:
            objects[str(each["name"])] = {
                "class_name": found.class_name,
                "worker": None if host == script.name else key_of(script.account, host),
                "namespace": found.id,
                "use_sqlite": found.use_sqlite,
            }
    return objects


def _unbound(
    bindings: Sequence[Binding], script: Script, contents: Contents
) -> list[dict[str, Any]]:
    own = {str(each["class_name"]) for each in bindings if owner(each, script.name) == script.name}
    return [
        {"class_name": each.class_name, "namespace": each.id, "use_sqlite": each.use_sqlite}
        for each in contents.ledger.values()
        if each.script == script.name and each.class_name not in own
    ]


def _services(bindings: Sequence[Binding], contents: Contents) -> dict[str, dict[str, Any]]:
    return {
        str(each["name"]): {
            "worker": key_of(contents.account, str(each["service"])),
            "entrypoint": each.get("entrypoint"),
        }
        for each in bindings
        if each["service"] in contents.scripts
    }


def _workflows(bindings: Sequence[Binding], contents: Contents) -> dict[str, dict[str, str]]:
    workflows = {}
    for each in bindings:
        found = contents.workflows.get(str(each["workflow_name"]))
        if found and _runs(found, contents):
            workflows[str(each["name"])] = {
                "id": found.id,
                "class_name": found.class_name,
                "worker": key_of(contents.account, found.script),
            }
    return workflows


def _workflow_names(script: Script, contents: Contents) -> dict[str, dict[str, str]]:
    """The names of the Workflows that each class of the script runs, by their ids."""
    names: dict[str, dict[str, str]] = {}
    for each in contents.workflows.values():
        if each.script == script.name and _runs(each, contents):
            names.setdefault(each.class_name, {})[each.id] = each.name
    return names


def _runs(workflow: Workflow, contents: Contents) -> bool:
    host = contents.scripts.get(workflow.script)
    return host is not None and workflow.class_name in host.classes()
