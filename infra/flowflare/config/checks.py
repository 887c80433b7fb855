"""Checks of the clients that no schema can make: files that exist, names that collide or are long.

They read what is written, not what was validated, so that a schema's mistake in one place hides
none of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any, NamedTuple

from flowflare.config.problems import Path, Places, full_key, nearest
from flowflare.errors import Problem
from flowflare.model import names
from flowflare.model.bindings import CLIENT_RESERVED, SERVICE_RESERVED

_SOURCES = ("worker_src/*/src/index.js", "worker_src/*/src/index.ts")


class _Workflow(NamedTuple):
    client: str
    name: str
    path: Path


def check_clients(
    written: Mapping[str, Any],
    environment: str,
    moved: Callable[[Path], Path],
    places: Places,
    root: FilePath | None,
) -> list[Problem]:
    """Checks the clients of a configuration.

    Args:
        written: the configuration's keys without the namespace, overrides laid over the clients.
        environment: the environment's name.
        moved: where a value of it really stands.
        places: finds files and lines.
        root: the project's folder, None to leave files alone.
    """
    clients = {
        name: fields
        for name, fields in _mapping(written.get("clients")).items()
        if isinstance(fields, dict)
    }
    workflows = list(_workflows(clients))
    found = [
        *_sources(clients, root),
        *_reserved(clients),
        *_collisions(workflows),
        *_bindings(clients),
        *_physical_names(written, environment, clients, workflows),
        *_unknown_names(written, clients, workflows),
    ]
    problems = []
    for path, message, remedy in found:
        place = moved(path)
        text = f"`{full_key(place)}`: {message}"
        problems.append(Problem(places.of(place), text, remedy))
    return problems


Finding = tuple[Path, str, str]


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _workflows(clients: Mapping[str, dict[str, Any]]) -> Iterator[_Workflow]:
    for client, fields in clients.items():
        for name in _mapping(fields.get("workflows")):
            yield _Workflow(client, name, ("clients", client, "workflows", name))


def _sources(clients: Mapping[str, dict[str, Any]], root: FilePath | None) -> Iterator[Finding]:
    for client, fields in clients.items():
        source = fields.get("source")
        if root is None or not isinstance(source, str) or not source or (root / source).is_file():
            continue
        known = sorted(
            path.relative_to(root).as_posix() for pattern in _SOURCES for path in root.glob(pattern)
        )
        remedy = nearest(source, known, "Sources in this project")
        yield ("clients", client, "source"), f"there is no file {source!r}", remedy


def _reserved(clients: Mapping[str, object]) -> Iterator[Finding]:
    for name in clients:
        if name in names.RESERVED:
            message = f"`{name}` is a name of the service's own parts"
            yield ("clients", name), message, "Choose another name."


def _collisions(workflows: Iterable[_Workflow]) -> Iterator[Finding]:
    seen: dict[str, _Workflow] = {}
    for workflow in workflows:
        binding = names.binding_name(workflow.name)
        first = seen.setdefault(binding, workflow)
        if binding in SERVICE_RESERVED:
            message = f"its binding would be {binding}, which the service uses itself"
            yield workflow.path, message, "Choose another name for the Workflow."
        if first is not workflow:
            message = f"client `{first.client}` has a Workflow `{first.name}` already"
            remedy = "A Workflow's name is unique in the account: choose another one."
            yield workflow.path, message, remedy


def _bindings(clients: Mapping[str, dict[str, Any]]) -> Iterator[Finding]:
    for client, fields in clients.items():
        taken = dict.fromkeys(CLIENT_RESERVED, "Flowflare's own binding")
        for name in _mapping(fields.get("workflows")):
            binding = names.binding_name(name)
            if binding in CLIENT_RESERVED:
                message = f"its binding would be {binding}, which is {taken[binding]}"
                yield ("clients", client, "workflows", name), message, "Choose another name."
            taken[binding] = f"the binding of the Workflow `{name}`"
        for variable in _mapping(fields.get("variables")):
            if variable in taken:
                message = f"`{variable}` is {taken[variable]}"
                yield ("clients", client, "variables", variable), message, "Choose another name."


def _physical_names(
    written: Mapping[str, Any],
    environment: str,
    clients: Mapping[str, object],
    workflows: Iterable[_Workflow],
) -> Iterator[Finding]:
    """Names in the account that are too long, or that two parts would share."""
    own = _mapping(written.get("names"))
    tenant = written.get("tenant") if isinstance(written.get("tenant"), str) else None
    parts: list[tuple[str, str, Path, object]] = [
        ("script", names.SERVICE, ("names", "service"), own.get("service"))
    ]
    scripts, runs = _mapping(own.get("clients")), _mapping(own.get("workflows"))
    parts += [("script", name, ("clients", name), scripts.get(name)) for name in clients]
    parts += [("Workflow", one.name, one.path, runs.get(one.name)) for one in workflows]
    seen: dict[tuple[str, object], str] = {}
    for kind, what, path, chosen in parts:
        name = chosen or names.physical_name(tenant, environment, what)
        if not chosen and len(str(name)) > names.MAX_LENGTH:
            message = f"its name in the account, {name}, has {len(str(name))} characters"
            remedy = f"At most {names.MAX_LENGTH}: shorten it or set one in `flowflare:names`."
            yield path, message, remedy
        if seen.setdefault((kind, name), what) != what:
            message = f"its name in the account, {name}, is that of `{seen[kind, name]}` too"
            yield path, message, "Set another one in `flowflare:names`."


def _unknown_names(
    written: Mapping[str, Any],
    clients: Mapping[str, object],
    workflows: Iterable[_Workflow],
) -> Iterator[Finding]:
    own = _mapping(written.get("names"))
    for kind, known in (("clients", list(clients)), ("workflows", [one.name for one in workflows])):
        for name in _mapping(own.get(kind)):
            if name not in known:
                remedy = nearest(name, known, kind.capitalize())
                yield ("names", kind, name), f"there is no such {kind.removesuffix('s')}", remedy
