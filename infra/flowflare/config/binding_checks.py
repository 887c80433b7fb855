"""Checks of what a client's `env` holds, and of the history of its Durable Object classes."""

from collections.abc import Iterator, Mapping
from typing import Any

from flowflare.config.problems import Finding, Path, mapping
from flowflare.model import names
from flowflare.model.bindings import CLIENT_RESERVED, RPC_BINDING

#: The keys of a client whose names become names of its `env`, with what one of them is.
_KINDS = {
    "variables": "a variable",
    "secrets": "a secret",
    "bindings": "one of `bindings`",
    "databases": "a database",
    "durableObjects": "a Durable Object class",
}


def check_bindings(clients: Mapping[str, dict[str, Any]]) -> Iterator[Finding]:
    """Names that two things of a client's `env` would share.

    Args:
        clients: the clients as they are written, by name.
    """
    for client, fields in clients.items():
        reserved = CLIENT_RESERVED | ({RPC_BINDING} if fields.get("rpc") is True else set())
        taken = dict.fromkeys(reserved, "Flowflare's own binding")
        for name in mapping(fields.get("workflows")):
            binding = names.binding_name(name)
            if binding in reserved:
                message = f"its binding would be {binding}, which is {taken[binding]}"
                yield ("clients", client, "workflows", name), message, "Choose another name."
            taken[binding] = f"the binding of the Workflow `{name}`"
        for kind, what in _KINDS.items():
            for name in mapping(fields.get(kind)):
                if name in taken:
                    path: Path = ("clients", client, kind, name)
                    yield path, f"`{name}` is {taken[name]}", "Choose another name."
                taken.setdefault(name, f"{what} already")


def check_classes(clients: Mapping[str, dict[str, Any]]) -> Iterator[Finding]:
    """Steps that share a tag, and classes that are bound although no step makes them.

    Args:
        clients: the clients as they are written, by name.
    """
    for client, fields in clients.items():
        history = fields.get("classMigrations")
        steps = [mapping(step) for step in history] if isinstance(history, list) else []
        tags: list[object] = []
        for index, step in enumerate(steps):
            if "tag" in step and step["tag"] in tags:
                path: Path = ("clients", client, "classMigrations", index, "tag")
                message = f"is {step['tag']!r} as in an earlier step"
                yield path, message, "Give each step a tag of its own."
            tags.append(step.get("tag"))
        living = _living(steps)
        for binding, written in mapping(fields.get("durableObjects")).items():
            name = mapping(written).get("className")
            if isinstance(name, str) and name not in living:
                path = ("clients", client, "durableObjects", binding, "className")
                tag = f"v{len(steps) + 1}"
                remedy = (
                    f"Append to the client's `classMigrations`: "
                    f"{{tag: {tag}, newSqliteClasses: [{name}]}}"
                )
                yield path, f"no class migration makes the class `{name}`", remedy


def _living(steps: list[dict[str, Any]]) -> set[str]:
    """The classes that there are after the steps."""
    living: set[str] = set()
    for step in steps:
        living |= set(_texts(step.get("newSqliteClasses")))
        for moved in _mappings(step.get("renamedClasses")):
            living.discard(str(moved.get("from")))
            living.add(str(moved.get("to")))
        living |= {str(moved.get("to")) for moved in _mappings(step.get("transferredClasses"))}
        living -= set(_texts(step.get("deletedClasses")))
    return living


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _mappings(value: object) -> list[dict[str, Any]]:
    return [mapping(item) for item in value] if isinstance(value, list) else []
