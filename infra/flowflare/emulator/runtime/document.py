"""Describe to the Node child how to run a script: code, bindings and port as JSON.

Names inside workerd combine account and script, and Durable Objects and Workflows are identified by
their IDs. Accounts therefore never share anything, and deleted data is never found again. A binding
whose target does not exist is skipped.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flowflare.emulator.distance import Milliseconds
from flowflare.emulator.services.routing.patterns import Pattern
from flowflare.emulator.services.scripts.bindings import owner
from flowflare.emulator.services.scripts.classes import Ledger
from flowflare.emulator.services.scripts.script import ASSETS_ONLY_NAME, Binding, Module, Script
from flowflare.emulator.services.workflows.store import Workflow

_MODULE_TYPES = {
    "application/javascript+module": "ESModule",
    "text/javascript+module": "ESModule",
    "application/javascript": "CommonJS",
    "text/javascript": "CommonJS",
    "application/wasm": "CompiledWasm",
    "text/plain": "Text",
    "application/json": "JSON",
    "application/source-map": "SourceMap",
}
_TEXTUAL = {"ESModule", "CommonJS", "Text", "JSON", "SourceMap"}


@dataclass(frozen=True)
class Contents:
    """Hold everything of an account that concerns workerd."""

    account: str
    scripts: Mapping[str, Script]
    ledger: Ledger
    workflows: Mapping[str, Workflow]
    databases: frozenset[str]
    ports: Mapping[str, int]
    targets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What the bound targets are run with, such as their keys, by the bindings' names."""
    consumes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """How the script consumes queues, by their keys."""
    assets: Mapping[str, Any] | None = None
    """How its static assets are served, as the child reads it without the binding."""
    patterns: Mapping[str, Sequence[Pattern]] = field(default_factory=dict)
    """The routes and custom domains that each script answers besides its own address."""
    tails: Sequence[Mapping[str, Any]] = ()
    """The script's tails, with their filters."""


def key_of(account: str, script: str) -> str:
    """Return a script's name inside workerd."""
    return f"{account}-{script}"


def module_document(module: Module) -> dict[str, Any]:
    """Return a module in the form that the child reads."""
    kind = _MODULE_TYPES.get(module.content_type.split(";")[0], "Data")
    document: dict[str, Any] = {"name": module.name, "type": kind}
    if kind in _TEXTUAL:
        return document | {"text": module.content.decode(errors="replace")}
    return document | {"base64": base64.b64encode(module.content).decode()}


def worker_document(
    script: Script, contents: Contents, distance: Milliseconds | None = None
) -> dict[str, Any]:
    """Return the document of a script that can run."""
    by_type: dict[str, list[Binding]] = {}
    for binding in script.bindings:
        by_type.setdefault(str(binding["type"]), []).append(binding)
    bound = by_type.get("durable_object_namespace", [])
    return {
        "key": key_of(script.account, script.name),
        "script": script.name,
        "port": contents.ports[script.name],
        "enabled": script.enabled,
        "service_worker": script.service_worker,
        "code": script.etag,
        "compatibility_date": script.metadata["compatibility_date"],
        "compatibility_flags": script.metadata["compatibility_flags"],
        "has_default": any(export.name == "default" for export in script.exports),
        "vars": _variables(by_type) | _version_metadata(by_type, script),
        "d1": _databases(by_type.get("d1", []), contents),
        "objects": _objects(bound, script, contents),
        "unbound_objects": _unbound_objects(bound, script, contents),
        "services": _services(by_type.get("service", []), contents),
        "workflows": _workflows(by_type.get("workflow", []), contents),
        "workflow_names": _workflow_names(script, contents),
        "targets": contents.targets,
        "assets": _assets(by_type.get("assets", []), script, contents),
        "consumes": contents.consumes,
        "datasets": {
            str(binding["name"]): str(binding.get("dataset"))
            for binding in by_type.get("analytics_engine", [])
        },
        "rate_limits": {
            str(binding["name"]): {
                "namespace_id": f"{contents.account}-{binding.get('namespace_id')}",
                "simple": binding.get("simple"),
            }
            for binding in by_type.get("ratelimit", [])
        },
        "answers": [vars(pattern) for pattern in contents.patterns.get(script.name, ())],
        "tails": [dict(tail) for tail in contents.tails],
        "distance": vars(distance) if distance else None,
    }


def down_document(script: Script, port: int, problem: str) -> dict[str, Any]:
    """Return the document of a script that cannot run: its address and the reason."""
    return {
        "key": key_of(script.account, script.name),
        "script": script.name,
        "port": port,
        "enabled": script.enabled,
        "code": "",
        "answers": [],
        "down": f"The Worker '{script.name}' cannot run: {problem}.",
    }


def _assets(
    bindings: Sequence[Binding], script: Script, contents: Contents
) -> dict[str, Any] | None:
    if contents.assets is None:
        return None
    return {
        **contents.assets,
        "binding": str(bindings[0]["name"]) if bindings else None,
        "has_user_worker": script.main != ASSETS_ONLY_NAME,
    }


def _variables(by_type: Mapping[str, list[Binding]]) -> dict[str, Any]:
    texts = [*by_type.get("plain_text", []), *by_type.get("secret_text", [])]
    return {str(binding["name"]): binding["text"] for binding in texts} | {
        str(binding["name"]): binding.get("json") for binding in by_type.get("json", [])
    }


def _version_metadata(
    by_type: Mapping[str, list[Binding]], script: Script
) -> dict[str, dict[str, str]]:
    """Return the value of `version_metadata` bindings. Miniflare would invent one at each start."""
    annotations = script.metadata.get("annotations") or {}
    version = {
        "id": script.version_id,
        "tag": str(annotations.get("workers/tag") or ""),
        "timestamp": script.modified_on,
    }
    return {str(binding["name"]): version for binding in by_type.get("version_metadata", [])}


def _databases(bindings: Sequence[Binding], contents: Contents) -> dict[str, str]:
    ids = {
        str(binding["name"]): str(binding.get("id") or binding.get("database_id"))
        for binding in bindings
    }
    return {name: uuid for name, uuid in ids.items() if uuid in contents.databases}


def _objects(
    bindings: Sequence[Binding], script: Script, contents: Contents
) -> dict[str, dict[str, Any]]:
    objects = {}
    for binding in bindings:
        host = owner(binding, script.name)
        namespace = contents.ledger.get((host, str(binding["class_name"])))
        if namespace and host in contents.scripts:
            objects[str(binding["name"])] = {
                "class_name": namespace.class_name,
                "worker": None if host == script.name else key_of(script.account, host),
                "namespace": namespace.id,
                "use_sqlite": namespace.use_sqlite,
            }
    return objects


def _unbound_objects(
    bindings: Sequence[Binding], script: Script, contents: Contents
) -> list[dict[str, Any]]:
    own = {
        str(binding["class_name"])
        for binding in bindings
        if owner(binding, script.name) == script.name
    }
    return [
        {
            "class_name": namespace.class_name,
            "namespace": namespace.id,
            "use_sqlite": namespace.use_sqlite,
        }
        for namespace in contents.ledger.values()
        if namespace.script == script.name and namespace.class_name not in own
    ]


def _services(bindings: Sequence[Binding], contents: Contents) -> dict[str, dict[str, Any]]:
    return {
        str(binding["name"]): {
            "worker": key_of(contents.account, str(binding["service"])),
            "entrypoint": binding.get("entrypoint"),
        }
        for binding in bindings
        if binding["service"] in contents.scripts
    }


def _workflows(bindings: Sequence[Binding], contents: Contents) -> dict[str, dict[str, str]]:
    workflows = {}
    for binding in bindings:
        workflow = contents.workflows.get(str(binding["workflow_name"]))
        if workflow and _runs(workflow, contents):
            workflows[str(binding["name"])] = {
                "id": workflow.id,
                "class_name": workflow.class_name,
                "worker": key_of(contents.account, workflow.script),
            }
    return workflows


def _workflow_names(script: Script, contents: Contents) -> dict[str, dict[str, str]]:
    """Return the names of the Workflows that each class of the script runs, by ID."""
    names: dict[str, dict[str, str]] = {}
    for workflow in contents.workflows.values():
        if workflow.script == script.name and _runs(workflow, contents):
            names.setdefault(workflow.class_name, {})[workflow.id] = workflow.name
    return names


def _runs(workflow: Workflow, contents: Contents) -> bool:
    host = contents.scripts.get(workflow.script)
    return host is not None and workflow.class_name in host.classes()
