"""Renders a stack's `wrangler.jsonc` files, for who wants to see or to leave.

`flowflare render` writes one beside each Worker's module. It says what the Pulumi program
declares; secrets are not in it, `wrangler secret put` sets them.
"""

import json
from typing import Any

from flowflare.model.bindings import (
    DATABASE_BINDING,
    ApiKeyBinding,
    Binding,
    BoundBinding,
    DatabaseBinding,
    OwnBinding,
    SecretBinding,
    client_bindings,
    service_bindings,
    to_wire,
)
from flowflare.model.client import ClientSpec, OwnSpec
from flowflare.model.stack import ServiceSpec, StackSpec
from flowflare.render.worker import MAIN_MODULE
from flowflare.render.wrangler_bindings import add_binding

_UNKNOWN_ID = "<database_id of the stack's outputs>"


def wrangler_files(spec: StackSpec, *, database_id: str = _UNKNOWN_ID) -> dict[str, str]:
    """The text of `wrangler.jsonc` for every script of the stack, by script name.

    Args:
        spec: the stack.
        database_id: the D1 database's id, which only Cloudflare knows.
    """
    service = spec.service
    databases = {
        DATABASE_BINDING: {"database_name": service.database_name, "database_id": database_id}
    }
    bindings = service_bindings(spec.clients, service.other_keys)
    files = {service.script_name: _file(spec, service, bindings, databases)}
    for client in spec.clients:
        bindings = client_bindings(client, service.script_name)
        files[client.script_name] = _file(spec, client, bindings, _own_databases(client))
    return files


def _own_databases(client: ClientSpec) -> dict[str, dict[str, str]]:
    return {
        database.binding: {
            "database_name": database.database_name,
            "database_id": f"<id of the D1 database {database.database_name}>",
        }
        for database in client.databases
    }


def _file(
    spec: StackSpec,
    worker: ServiceSpec | ClientSpec,
    bindings: tuple[Binding, ...],
    databases: dict[str, dict[str, str]],
) -> str:
    config = _worker(spec, worker)
    for binding in bindings:
        if isinstance(binding, DatabaseBinding):
            entry = {"binding": binding.name, **databases[binding.name]}
            config.setdefault("d1_databases", []).append(entry)
        elif isinstance(binding, OwnBinding):
            add_binding(config, _placeholder(binding.own) | to_wire(binding))
        elif not _secrets(binding):
            add_binding(config, to_wire(binding))
    if worker.class_migrations:
        config["migrations"] = [{"tag": step.tag} | step.step() for step in worker.class_migrations]
    return _text(config | _reached(worker), bindings)


def _placeholder(own: OwnSpec) -> dict[str, str]:
    """The field of an ID that only Cloudflare knows."""
    words = own.bound_as.replace("_", " ")
    return {own.bound_by: f"<id of the {words} {own.name}>"} if own.is_bound_by_id else {}


def _worker(spec: StackSpec, worker: ServiceSpec | ClientSpec) -> dict[str, Any]:
    config = {
        "name": worker.script_name,
        "account_id": spec.account_id,
        "main": MAIN_MODULE,
        # The module is bundled already.
        "no_bundle": True,
        "compatibility_date": worker.compatibility_date,
        "compatibility_flags": list(worker.compatibility_flags),
        "workers_dev": worker.workers_dev,
        "preview_urls": False,
        "observability": _observability(worker),
    }
    if worker.limits is not None:
        config["limits"] = worker.limits.model_dump(exclude_none=True)
    if worker.placement is not None:
        config["placement"] = worker.placement.model_dump(exclude_none=True)
    if worker.logpush:
        config["logpush"] = True
    if worker.tail_consumers:
        config["tail_consumers"] = [{"service": service} for service in worker.tail_consumers]
    return config


def _observability(worker: ServiceSpec | ClientSpec) -> dict[str, Any]:
    spec = worker.observability
    return spec.model_dump(exclude_none=True) if spec.enabled else {"enabled": False}


def _reached(worker: ServiceSpec | ClientSpec) -> dict[str, Any]:
    """Routes, custom domains, cron triggers."""
    routes = [
        *({"pattern": route.pattern, "zone_id": route.zone_id} for route in worker.routes),
        *(
            {"pattern": domain.hostname, "zone_id": domain.zone_id, "custom_domain": True}
            for domain in worker.domains
        ),
    ]
    found: dict[str, Any] = {"routes": routes} if routes else {}
    if worker.crons is not None:
        found["triggers"] = {"crons": list(worker.crons)}
    return found


def _secrets(binding: Binding) -> bool:
    """Whether the binding is a secret or holds one."""
    if isinstance(binding, BoundBinding):
        return bool(binding.secrets)
    return isinstance(binding, ApiKeyBinding | SecretBinding)


def _text(config: dict[str, Any], bindings: tuple[Binding, ...]) -> str:
    lines = ["// Rendered from the stack's configuration; the Pulumi program does not read it."]
    for binding in bindings:
        if isinstance(binding, BoundBinding) and binding.secrets:
            text = (
                f"// Not in this file, wrangler has no word for it: {binding.type} {binding.name}"
            )
            lines.append(text)
        elif _secrets(binding):
            lines.append(f"// Secret, not in this file: wrangler secret put {binding.name}")
    return "\n".join([*lines, json.dumps(config, indent=2)]) + "\n"
