"""Renders a stack's `wrangler.jsonc` files, for who wants to see or to leave.

`flowflare render` writes one beside each Worker's module. It says what the Pulumi program
declares; secrets are not in it, `wrangler secret put` sets them.
"""

import json
from typing import Any

from flowflare.model import ClientSpec, ServiceSpec, StackSpec
from flowflare.model.bindings import (
    ApiKeyBinding,
    Binding,
    DatabaseBinding,
    ServiceBinding,
    ClassBinding,
    VariableBinding,
    WorkflowBinding,
    client_bindings,
    service_bindings,
)
from flowflare.render.worker import MAIN_MODULE

_UNKNOWN_ID = "<database_id of the stack's outputs>"


def wrangler_files(spec: StackSpec, *, database_id: str = _UNKNOWN_ID) -> dict[str, str]:
    """The text of `wrangler.jsonc` for every script of the stack, by script name.

    Args:
        spec: the stack.
        database_id: the D1 database's id, which only Cloudflare knows.
    """
    service = spec.service
    files = {service.script_name: _service(spec, service, database_id)}
    for client in spec.clients:
        files[client.script_name] = _client(spec, client, database_id)
    return files


def _service(spec: StackSpec, service: ServiceSpec, database_id: str) -> str:
    bindings = service_bindings(spec.clients, service.other_keys)
    config = _worker(spec, service) | _bound(bindings, spec, database_id)
    config["migrations"] = [{"tag": step.tag} | step.step() for step in service.class_migrations]
    config |= _triggers(service)
    return _text(config, bindings)


def _client(spec: StackSpec, client: ClientSpec, database_id: str) -> str:
    bindings = client_bindings(client, spec.service.script_name)
    config = _worker(spec, client) | _bound(bindings, spec, database_id)
    config |= _triggers(client)
    return _text(config, bindings)


def _triggers(worker: ServiceSpec | ClientSpec) -> dict[str, Any]:
    return {} if worker.crons is None else {"triggers": {"crons": list(worker.crons)}}


def _worker(spec: StackSpec, worker: ServiceSpec | ClientSpec) -> dict[str, Any]:
    return {
        "name": worker.script_name,
        "account_id": spec.account_id,
        "main": MAIN_MODULE,
        # The module is bundled already.
        "no_bundle": True,
        "compatibility_date": worker.compatibility_date,
        "compatibility_flags": list(worker.compatibility_flags),
        "workers_dev": worker.workers_dev,
        "preview_urls": False,
        "observability": {"enabled": worker.observability.enabled},
    }


def _bound(bindings: tuple[Binding, ...], spec: StackSpec, database_id: str) -> dict[str, Any]:
    """The bindings under the keys that wrangler groups them by."""
    groups: dict[str, Any] = {}
    for binding in bindings:
        if isinstance(binding, DatabaseBinding):
            groups.setdefault("d1_databases", []).append(
                {
                    "binding": binding.name,
                    "database_name": spec.service.database_name,
                    "database_id": database_id,
                }
            )
        elif isinstance(binding, ClassBinding):
            objects = groups.setdefault("durable_objects", {"bindings": []})
            objects["bindings"].append(binding.model_dump(exclude={"type"}, exclude_none=True))
        elif isinstance(binding, ServiceBinding):
            entry = {"binding": binding.name, "service": binding.service}
            groups.setdefault("services", []).append(entry)
        elif isinstance(binding, VariableBinding):
            groups.setdefault("vars", {})[binding.name] = binding.text
        elif isinstance(binding, WorkflowBinding):
            entry = {
                "binding": binding.name,
                "name": binding.workflow_name,
                "class_name": binding.class_name,
            }
            owner = {"script_name": binding.script_name} if binding.script_name else {}
            groups.setdefault("workflows", []).append(entry | owner)
    return groups


def _text(config: dict[str, Any], bindings: tuple[Binding, ...]) -> str:
    secrets = [binding.name for binding in bindings if isinstance(binding, ApiKeyBinding)]
    lines = ["// Rendered from the stack's configuration; the Pulumi program does not read it."]
    lines += [f"// Secret, not in this file: wrangler secret put {name}" for name in secrets]
    return "\n".join([*lines, json.dumps(config, indent=2)]) + "\n"
