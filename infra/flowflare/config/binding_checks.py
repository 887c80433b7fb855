"""Check a client's `env`: no two entries share a name, and static assets have files."""

from collections.abc import Iterator, Mapping
from typing import Any

from flowflare.config.problems import Finding, Path, mapping
from flowflare.kinds.bindings.compact import ASSETS
from flowflare.model import names
from flowflare.model.bindings import CLIENT_RESERVED, RPC_BINDING

#: The keys of a client whose names become names of its `env`, with a phrase for messages.
_KINDS = {
    "variables": "a variable",
    "secrets": "a secret",
    "bindings": "one of `bindings`",
    "databases": "a database",
    "durableObjects": "a Durable Object class",
}


def check_bindings(clients: Mapping[str, dict[str, Any]]) -> Iterator[Finding]:
    """Find names that two entries of a client's `env` would share, and assets without files.

    Args:
        clients: the clients as they are written, by name.
    """
    for client, fields in clients.items():
        reserved = CLIENT_RESERVED | ({RPC_BINDING} if fields.get("rpc") is True else set())
        taken = dict.fromkeys(reserved, "Flowflare's own binding")
        for name in mapping(fields.get("workflows")):
            binding = names.make_binding_name(name)
            if binding in reserved:
                message = f"its binding would be {binding}, which is {taken[binding]}"
                yield ("clients", client, "workflows", name), message, "Choose another name."
            taken[binding] = f"the binding of the Workflow `{name}`"
        for where, name, what in _list_names(fields):
            if name in taken:
                path: Path = ("clients", client, *where)
                yield path, f"`{name}` is {taken[name]}", "Choose another name."
            taken.setdefault(name, f"{what} already")
        for name, binding in mapping(fields.get("bindings")).items():
            if mapping(binding).get("type") == ASSETS.name:
                message = "would bind static assets, but says no folder of files"
                remedy = (
                    f"Write the client's `assets` instead: {{directory: public, binding: {name}}}"
                )
                yield ("clients", client, "bindings", name), message, remedy


def _list_names(fields: Mapping[str, Any]) -> Iterator[tuple[Path, str, str]]:
    """List the names of a client's `env`: where each is written, the name, what it is."""
    for kind, what in _KINDS.items():
        yield from (((kind, name), name, what) for name in mapping(fields.get(kind)))
    assets = mapping(fields.get("assets")).get("binding")
    if isinstance(assets, str):
        yield ("assets", "binding"), assets, "the binding of its assets"
