"""Checks that the clients' scripts can be made one after the other: none waits for itself.

Cloudflare takes a binding to a script only when that script exists, so that of two clients that are
bound to each other neither could be uploaded first.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from flowflare.config.problems import Finding, Path, mapping


def check_circles(
    clients: Mapping[str, Mapping[str, Any]], scripts: Mapping[str, str]
) -> Iterator[Finding]:
    """Clients whose bindings lead back to themselves, each circle once.

    Args:
        clients: the clients as they are written, by name.
        scripts: the name of each one's script in the account.
    """
    owners = {script: client for client, script in scripts.items() if client in clients}
    edges = {client: dict(_bound(client, clients, owners)) for client in sorted(clients)}
    done: set[str] = set()

    def visit(client: str, way: tuple[str, ...]) -> Iterator[Finding]:
        for target, path in edges[client].items():
            if target in way:
                yield _circle((*way[way.index(target) :], target), path)
            elif target not in done:
                yield from visit(target, (*way, target))
        done.add(client)

    for client in edges:
        if client not in done:
            yield from visit(client, (client,))


def _circle(way: tuple[str, ...], path: Path) -> Finding:
    names = " -> ".join(way)
    message = f"closes a circle, {names}: none of them could be uploaded first"
    remedy = (
        "Take one of these bindings away: Cloudflare binds to scripts that exist. Where both must "
        "call each other, let one of them do it through a queue or over its URL."
    )
    return path, message, remedy


def _bound(
    client: str, clients: Mapping[str, Mapping[str, Any]], owners: Mapping[str, str]
) -> Iterator[tuple[str, Path]]:
    """The clients that must be there before this one, with where that is said."""
    fields = clients[client]
    consumers = fields.get("tailConsumers")
    for index, consumer in enumerate(consumers if isinstance(consumers, list) else ()):
        path: Path = ("clients", client, "tailConsumers", index)
        yield from _owner(client, mapping(consumer).get("service"), owners, path)
    for name, binding in mapping(fields.get("bindings")).items():
        # Classes have been made, and their scripts with them, before anything is bound to them.
        if mapping(binding).get("type") == "durable_object_namespace":
            continue
        for key in ("service", "script_name"):
            path = ("clients", client, "bindings", name, key)
            yield from _owner(client, mapping(binding).get(key), owners, path)


def _owner(
    client: str, script: object, owners: Mapping[str, str], path: Path
) -> Iterator[tuple[str, Path]]:
    owner = owners.get(script) if isinstance(script, str) else None
    if owner is not None and owner != client:
        yield owner, path
