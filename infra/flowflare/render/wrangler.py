"""Render a stack's `wrangler.jsonc` files, for inspection or for leaving Flowflare.

`flowflare render` writes one file next to each Worker's module. It contains what the Pulumi program
declares, except secrets: set those with `wrangler secret put`.
"""

import json
from collections.abc import Mapping
from typing import Any

from flowflare.kinds.bindings.binding import Binding, BoundBinding
from flowflare.kinds.bindings.d1 import DatabaseBinding
from flowflare.kinds.bindings.secret_text import ApiKeyBinding, SecretBinding
from flowflare.kinds.bindings.workers import (
    OwnBinding,
    list_client_bindings,
    list_service_bindings,
)
from flowflare.kinds.bindings.wrangler import add_binding
from flowflare.kinds.contract import load_wrangler
from flowflare.kinds.registry import KINDS
from flowflare.model.bindings import DATABASE_BINDING
from flowflare.model.client import ClientSpec, DatabaseSpec
from flowflare.model.stack import ServiceSpec, StackSpec
from flowflare.render.worker import MAIN_MODULE

_UNKNOWN_ID = "<database_id of the stack's outputs>"


def render_wrangler_files(
    spec: StackSpec, *, database_id: str = _UNKNOWN_ID, project: str = "../.."
) -> dict[str, str]:
    """Write `wrangler.jsonc` for every script of the stack, by script name.

    Args:
        database_id: the D1 database's ID, which only Cloudflare knows.
        project: the path of the project's folder from the folder of a file.
    """
    service = spec.service
    databases = {
        DATABASE_BINDING: {"database_name": service.database_name, "database_id": database_id}
    }
    bindings = list_service_bindings(spec.clients, service.other_keys)
    files = {service.script_name: _render_file(spec, service, bindings, databases, project)}
    for client in spec.clients:
        bindings = list_client_bindings(client, service.script_name)
        files[client.script_name] = _render_file(
            spec, client, bindings, _list_own_databases(client), project
        )
    return files


def _list_own_databases(client: ClientSpec) -> dict[str, dict[str, str]]:
    return {
        database.binding: {
            "database_name": database.database_name,
            "database_id": f"<id of the D1 database {database.database_name}>",
            **_list_migration_keys(database),
        }
        for database in client.databases
    }


def _list_migration_keys(database: DatabaseSpec) -> dict[str, str]:
    """Write which files are migrations and which table records them, if either is chosen."""
    chosen = {
        "migrations_pattern": database.migrations_pattern,
        "migrations_table": database.migrations_table,
    }
    keys = {"migrations_dir": database.migrations} | chosen if any(chosen.values()) else {}
    return {key: value for key, value in keys.items() if value}


def _render_file(
    spec: StackSpec,
    worker: ServiceSpec | ClientSpec,
    bindings: tuple[Binding, ...],
    databases: dict[str, dict[str, str]],
    project: str,
) -> str:
    config = _make_worker(spec, worker, project)
    for binding in bindings:
        if isinstance(binding, DatabaseBinding):
            entry = {"binding": binding.name, **databases[binding.name]}
            config.setdefault("d1_databases", []).append(entry)
        elif isinstance(binding, OwnBinding):
            add_binding(config, _make_placeholder(binding) | binding.to_wire())
        elif not _is_secret(binding) and not _is_of_assets(worker, binding):
            add_binding(config, binding.to_wire())
    # The other way round than the kinds are created: bindings, migrations, addresses.
    for kind in reversed(KINDS):
        write = load_wrangler(kind)
        if write is not None:
            _merge(config, write(worker))
    return _write_text(config, bindings)


def _make_placeholder(binding: OwnBinding) -> dict[str, str]:
    """Write a placeholder for an ID that only Cloudflare knows."""
    type_ = binding.bound_as
    words = type_.name.replace("_", " ")
    return {type_.target: f"<id of the {words} {binding.own.name}>"} if type_.is_target_id else {}


def _make_worker(spec: StackSpec, worker: ServiceSpec | ClientSpec, project: str) -> dict[str, Any]:
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
    }
    if isinstance(worker, ClientSpec) and worker.upload_source_maps:
        config["upload_source_maps"] = True
    if isinstance(worker, ClientSpec) and worker.assets:
        named = {"binding": worker.assets.binding} if worker.assets.binding else {}
        folder = f"{project}/{worker.assets.directory}"
        config["assets"] = {"directory": folder, **named, **worker.assets.config}
    return config | {key: value for key, value in worker.settings.items() if value}


def _merge(config: dict[str, Any], added: Mapping[str, Any]) -> None:
    """Merge the keys of a kind. Its items come first in a list that earlier kinds wrote."""
    for key, value in added.items():
        if isinstance(value, list):
            config[key] = [*value, *config.get(key, ())]
        else:
            config[key] = {**config.get(key, {}), **value}


def _is_of_assets(worker: ServiceSpec | ClientSpec, binding: Binding) -> bool:
    """Return whether wrangler writes the binding below `assets`."""
    assets = worker.assets if isinstance(worker, ClientSpec) else None
    return assets is not None and binding.name == assets.binding


def _is_secret(binding: Binding) -> bool:
    """Return whether the binding is a secret or contains one."""
    if isinstance(binding, BoundBinding):
        return bool(binding.secrets)
    return isinstance(binding, ApiKeyBinding | SecretBinding)


def _write_text(config: dict[str, Any], bindings: tuple[Binding, ...]) -> str:
    lines = ["// Rendered from the stack's configuration; the Pulumi program does not read it."]
    for binding in bindings:
        if isinstance(binding, BoundBinding) and binding.secrets:
            text = (
                "// Not in this file, because wrangler does not support it: "
                f"{binding.type} {binding.name}"
            )
            lines.append(text)
        elif _is_secret(binding):
            lines.append(f"// Secret, not in this file: wrangler secret put {binding.name}")
    return "\n".join([*lines, json.dumps(config, indent=2)]) + "\n"
