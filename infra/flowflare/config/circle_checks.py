"""Check that the bindings between clients have no cycle.

Cloudflare accepts a binding to a script only if that script exists. Of two clients that are bound
to each other, neither could be uploaded first.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from flowflare.config.problems import Finding, Path, mapping
from flowflare.kinds.bindings.registry import find_binding_type


def check_circles(
    clients: Mapping[str, Mapping[str, Any]], scripts: Mapping[str, str]
) -> Iterator[Finding]:
    """Find the cycles of bindings between clients, each cycle once.

    Args:
        clients: the clients as they are written, by name.
        scripts: the name of each client's script in the account.
    """
    owners = {script: client for client, script in scripts.items() if client in clients}
    edges = {client: dict(_list_targets(client, clients, owners)) for client in sorted(clients)}
    done: set[str] = set()

    def visit(client: str, way: tuple[str, ...]) -> Iterator[Finding]:
        for target, path in edges[client].items():
            if target in way:
                yield _report_cycle((*way[way.index(target) :], target), path)
            elif target not in done:
                yield from visit(target, (*way, target))
        done.add(client)

    for client in edges:
        if client not in done:
            yield from visit(client, (client,))


def _report_cycle(way: tuple[str, ...], path: Path) -> Finding:
    names = " -> ".join(way)
    message = f"closes a cycle, {names}: none of these clients could be uploaded first"
    remedy = (
        "Remove one of these bindings, because Cloudflare only binds to scripts that exist. If "
        "both clients must call each other, use a queue or the URL for one direction."
    )
    return path, message, remedy


def _list_targets(
    client: str, clients: Mapping[str, Mapping[str, Any]], owners: Mapping[str, str]
) -> Iterator[tuple[str, Path]]:
    """List the clients that must exist before this client, each with the path of the binding."""
    fields = clients[client]
    consumers = fields.get("tailConsumers")
    for index, consumer in enumerate(consumers if isinstance(consumers, list) else ()):
        path: Path = ("clients", client, "tailConsumers", index)
        yield from _find_owner(client, mapping(consumer).get("service"), owners, path)
    for name, binding in mapping(fields.get("bindings")).items():
        for key in find_binding_type(str(mapping(binding).get("type"))).script_fields:
            path = ("clients", client, "bindings", name, key)
            yield from _find_owner(client, mapping(binding).get(key), owners, path)


def _find_owner(
    client: str, script: object, owners: Mapping[str, str], path: Path
) -> Iterator[tuple[str, Path]]:
    owner = owners.get(script) if isinstance(script, str) else None
    if owner is not None and owner != client:
        yield owner, path
