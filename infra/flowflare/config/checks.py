"""Checks of a stack that no schema can make: files that exist, names that collide or are long.

They read what is written, not what was validated, so that a schema's mistake in one place hides
none of them. What a client is bound to, and where Workers are reached, has files of its own.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any, NamedTuple

from flowflare.config.address_checks import check_addresses
from flowflare.config.binding_checks import check_bindings
from flowflare.config.circle_checks import check_circles
from flowflare.config.class_checks import check_classes, script_names
from flowflare.config.file_checks import check_files
from flowflare.config.problems import Finding, Path, Places, full_key, mapping, nearest
from flowflare.errors import Problem
from flowflare.kinds.registry import list_own
from flowflare.model import names
from flowflare.model.bindings import is_reserved_in_service


class _Workflow(NamedTuple):
    client: str
    name: str
    path: Path


def check_stack(
    written: Mapping[str, Any],
    environment: str,
    moved: Callable[[Path], Path],
    places: Places,
    root: FilePath | None,
) -> list[Problem]:
    """Checks a configuration as a whole.

    Args:
        written: the configuration's keys without the namespace, overrides laid over the clients.
        environment: the environment's name.
        moved: where a value of it really stands.
        places: finds files and lines.
        root: the project's folder, None to leave files alone.
    """
    clients = {
        name: fields
        for name, fields in mapping(written.get("clients")).items()
        if isinstance(fields, dict)
    }
    workflows = list(_workflows(clients))
    found = [
        *check_files(clients, root),
        *_reserved(clients),
        *_collisions(workflows),
        *check_bindings(clients),
        *check_circles(clients, script_names(written, environment, clients)),
        *check_classes(written, environment, clients),
        *check_addresses(written, clients),
        *_physical_names(written, environment, clients, workflows),
        *_resource_names(clients),
        *_unknown_names(written, clients, workflows),
        *_keys(written),
        *_retention(written),
    ]
    problems = []
    for path, message, remedy in found:
        place = moved(path)
        text = f"`{full_key(place)}`: {message}"
        problems.append(Problem(places.of(place), text, remedy))
    return problems


def _workflows(clients: Mapping[str, dict[str, Any]]) -> Iterator[_Workflow]:
    for client, fields in clients.items():
        for name in mapping(fields.get("workflows")):
            yield _Workflow(client, name, ("clients", client, "workflows", name))


def _reserved(clients: Mapping[str, object]) -> Iterator[Finding]:
    for name in clients:
        if name in names.RESERVED:
            message = f"`{name}` is a name of the service's own parts"
            yield ("clients", name), message, "Choose another name."


def _collisions(workflows: Iterable[_Workflow]) -> Iterator[Finding]:
    seen: dict[str, _Workflow] = {}
    for workflow in workflows:
        binding = names.make_binding_name(workflow.name)
        first = seen.setdefault(binding, workflow)
        if is_reserved_in_service(binding):
            message = f"its binding would be {binding}, which the service uses itself"
            yield workflow.path, message, "Choose another name for the Workflow."
        if first is not workflow:
            message = f"client `{first.client}` has a Workflow `{first.name}` already"
            remedy = "A Workflow's name is unique in the account: choose another one."
            yield workflow.path, message, remedy


def _physical_names(
    written: Mapping[str, Any],
    environment: str,
    clients: Mapping[str, object],
    workflows: Iterable[_Workflow],
) -> Iterator[Finding]:
    """Names in the account that are too long, or that two parts would share."""
    own = mapping(written.get("names"))
    tenant = written.get("tenant") if isinstance(written.get("tenant"), str) else None
    parts: list[tuple[str, str, Path, object]] = [
        ("script", names.SERVICE, ("names", "service"), own.get("service"))
    ]
    scripts, runs = mapping(own.get("clients")), mapping(own.get("workflows"))
    parts += [("script", name, ("clients", name), scripts.get(name)) for name in clients]
    parts += [("Workflow", one.name, one.path, runs.get(one.name)) for one in workflows]
    parts.append(("database", names.DATABASE, ("names", "database"), own.get("database")))
    parts += [
        (
            "database",
            names.make_database_part(client, binding),
            ("clients", client, "databases", binding),
            mapping(database).get("name"),
        )
        for client, fields in clients.items()
        for binding, database in mapping(mapping(fields).get("databases")).items()
    ]
    parts += [
        (
            words,
            names.make_database_part(client, binding),
            ("clients", client, "bindings", binding),
            settings.get("name"),
        )
        for client, fields in clients.items()
        for binding, words, settings in _own_resources(fields)
    ]
    seen: dict[tuple[str, str], str] = {}
    for kind, what, path, written_name in parts:
        # What is no text is a problem of the schema's.
        chosen = written_name if isinstance(written_name, str) else None
        name = chosen or names.make_physical_name(tenant, environment, what)
        if not chosen and len(name) > names.MAX_LENGTH:
            message = f"its name in the account, {name}, has {len(name)} characters"
            yield path, message, f"At most {names.MAX_LENGTH}: shorten it or {_say_where(path)}."
        if seen.setdefault((kind, name), what) != what:
            message = f"its name in the account, {name}, is that of `{seen[kind, name]}` too"
            yield path, message, f"{_say_where(path, 'another one').capitalize()}."


def _say_where(path: Path, which: str = "one") -> str:
    """Say where the name of a part is set."""
    if path[2:3] == ("bindings",):
        return f"set {which} as `name` in the binding"
    return f"set {which} in `flowflare:names`"


def _own_resources(fields: object) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """List what a client's bindings make: the binding, what people call it, its settings."""
    for binding, written in mapping(mapping(fields).get("bindings")).items():
        for key, kind in list_own().items():
            if key in mapping(written) and kind.own is not None:
                yield binding, kind.own.words, mapping(mapping(written)[key])


def _unknown_names(
    written: Mapping[str, Any],
    clients: Mapping[str, object],
    workflows: Iterable[_Workflow],
) -> Iterator[Finding]:
    own = mapping(written.get("names"))
    for kind, known in (("clients", list(clients)), ("workflows", [one.name for one in workflows])):
        for name in mapping(own.get(kind)):
            if name not in known:
                remedy = nearest(name, known, kind.capitalize())
                yield ("names", kind, name), f"there is no such {kind.removesuffix('s')}", remedy


def _resource_names(clients: Mapping[str, dict[str, Any]]) -> Iterator[Finding]:
    """Resources of the stack that two parts would share, for example of `MY_DB` and `my_db`."""
    seen: dict[tuple[str, str], Path] = {}
    for client, fields in clients.items():
        parts = [
            (kind, kind, name)
            for kind in ("workflows", "databases", "secrets")
            for name in mapping(fields.get(kind))
        ]
        parts += [("bindings", words, name) for name, words, _ in _own_resources(fields)]
        for key, kind, name in parts:
            path: Path = ("clients", client, key, name)
            resource = f"{client}-{names.hyphenate(name)}"
            first = seen.setdefault((kind, resource), path)
            if first != path:
                message = f"would be the same resource as `{full_key(first)}`"
                yield path, message, "Choose a name that differs in letters or digits."


def _keys(written: Mapping[str, Any]) -> Iterator[Finding]:
    """The API key that clients carry must be one that the service accepts."""
    accepted, in_use = written.get("apiKeys", [1]), written.get("apiKeyInUse", 1)
    if not isinstance(accepted, list) or not isinstance(in_use, int) or in_use in accepted:
        return
    if accepted:
        message = f"is {in_use}, which the service does not accept"
        listed = ", ".join(map(str, accepted))
        remedy = f"`flowflare:apiKeys` has {listed}: use one of them, or add {in_use} to it."
        yield ("apiKeyInUse",) if "apiKeyInUse" in written else ("apiKeys",), message, remedy


def _retention(written: Mapping[str, Any]) -> Iterator[Finding]:
    if written.get("crons") == [] and "retentionDays" in written:
        message = "is empty, and without a cron trigger `flowflare:retentionDays` deletes nothing"
        yield ("crons",), message, "Leave it out: the service then runs every ten minutes."
