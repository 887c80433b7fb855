"""Check what no schema can check: missing files, names that collide, and names that are too long.

The checks read the configuration as it is written, not the validated one, so that a mistake found
by the schema does not hide a mistake found here. Bindings, classes and addresses have their own
files.
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
from flowflare.config.queue_checks import check_queue_consumers
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
    """Check a configuration as a whole.

    Args:
        written: the configuration's keys without the namespace, with `clientOverrides` merged into
            the clients.
        moved: returns the path at which a value is written.
        places: finds files and lines.
        root: the project's folder; None to skip checks of files.
    """
    clients = {
        name: fields
        for name, fields in mapping(written.get("clients")).items()
        if isinstance(fields, dict)
    }
    workflows = list(_list_workflows(clients))
    found = [
        *check_files(clients, root),
        *_check_reserved(clients),
        *_check_workflows(workflows),
        *check_bindings(clients),
        *check_queue_consumers(clients),
        *check_circles(clients, script_names(written, environment, clients)),
        *check_classes(written, environment, clients),
        *check_addresses(written, clients),
        *_check_physical_names(written, environment, clients, workflows),
        *_check_resource_names(clients),
        *_check_unknown_names(written, clients, workflows),
        *_check_api_keys(written),
        *_check_retention(written),
    ]
    problems = []
    for path, message, remedy in found:
        place = moved(path)
        text = f"`{full_key(place)}`: {message}"
        problems.append(Problem(places.of(place), text, remedy))
    return problems


def _list_workflows(clients: Mapping[str, dict[str, Any]]) -> Iterator[_Workflow]:
    for client, fields in clients.items():
        for name in mapping(fields.get("workflows")):
            yield _Workflow(client, name, ("clients", client, "workflows", name))


def _check_reserved(clients: Mapping[str, object]) -> Iterator[Finding]:
    for name in clients:
        if name in names.RESERVED:
            message = f"`{name}` is reserved for the service"
            yield ("clients", name), message, "Choose another name."


def _check_workflows(workflows: Iterable[_Workflow]) -> Iterator[Finding]:
    seen: dict[str, _Workflow] = {}
    for workflow in workflows:
        binding = names.make_binding_name(workflow.name)
        first = seen.setdefault(binding, workflow)
        if is_reserved_in_service(binding):
            message = f"its binding would be {binding}, which the service uses"
            yield workflow.path, message, "Choose another name for the Workflow."
        if first is not workflow:
            message = f"client `{first.client}` already has a Workflow `{first.name}`"
            remedy = "The name of a Workflow is unique in the account: choose another name."
            yield workflow.path, message, remedy


def _check_physical_names(
    written: Mapping[str, Any],
    environment: str,
    clients: Mapping[str, object],
    workflows: Iterable[_Workflow],
) -> Iterator[Finding]:
    """Find names in the account that are too long or not unique."""
    own = mapping(written.get("names"))
    tenant = written.get("tenant") if isinstance(written.get("tenant"), str) else None
    parts: list[tuple[str, str, Path, object]] = [
        ("script", names.SERVICE, ("names", "service"), own.get("service"))
    ]
    scripts, runs = mapping(own.get("clients")), mapping(own.get("workflows"))
    parts += [("script", name, ("clients", name), scripts.get(name)) for name in clients]
    parts += [("workflow", each.name, each.path, runs.get(each.name)) for each in workflows]
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
        # The schema reports a value that is not text.
        chosen = written_name if isinstance(written_name, str) else None
        name = chosen or names.make_physical_name(tenant, environment, what)
        if not chosen and len(name) > names.MAX_LENGTH:
            message = f"its name in the account, {name}, has {len(name)} characters"
            remedy = f"At most {names.MAX_LENGTH} are allowed: shorten it, or {_how_to_set(path)}."
            yield path, message, remedy
        if seen.setdefault((kind, name), what) != what:
            message = f"its name in the account, {name}, is also the name of `{seen[kind, name]}`"
            yield path, message, f"{_how_to_set(path).capitalize()}."


def _how_to_set(path: Path) -> str:
    """Return how to set another name for a part, as a part of a sentence."""
    if path[2:3] == ("bindings",):
        return "set another name as `name` in the binding"
    return "set another name in `flowflare:names`"


def _own_resources(fields: object) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """List the resources that a client's bindings create: binding, words for the kind, settings."""
    for binding, written in mapping(mapping(fields).get("bindings")).items():
        for key, kind in list_own().items():
            if key in mapping(written) and kind.own is not None:
                yield binding, kind.own.words, mapping(mapping(written)[key])


def _check_unknown_names(
    written: Mapping[str, Any],
    clients: Mapping[str, object],
    workflows: Iterable[_Workflow],
) -> Iterator[Finding]:
    own = mapping(written.get("names"))
    known_workflows = [workflow.name for workflow in workflows]
    for kind, known in (("clients", list(clients)), ("workflows", known_workflows)):
        for name in mapping(own.get(kind)):
            if name not in known:
                remedy = nearest(name, known, kind.capitalize())
                yield ("names", kind, name), f"there is no such {kind.removesuffix('s')}", remedy


def _check_resource_names(clients: Mapping[str, dict[str, Any]]) -> Iterator[Finding]:
    """Find names that give the same Pulumi resource name, for example `MY_DB` and `my_db`."""
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


def _check_api_keys(written: Mapping[str, Any]) -> Iterator[Finding]:
    """Check that the service accepts the API key that clients use."""
    accepted, in_use = written.get("apiKeys", [1]), written.get("apiKeyInUse", 1)
    if not isinstance(accepted, list) or not isinstance(in_use, int) or in_use in accepted:
        return
    if accepted:
        message = f"is {in_use}, which the service does not accept"
        listed = ", ".join(map(str, accepted))
        remedy = f"`flowflare:apiKeys` has {listed}: use one of them, or add {in_use}."
        yield ("apiKeyInUse",) if "apiKeyInUse" in written else ("apiKeys",), message, remedy


def _check_retention(written: Mapping[str, Any]) -> Iterator[Finding]:
    if written.get("crons") == [] and "retentionDays" in written:
        message = "is empty, but without a cron trigger `flowflare:retentionDays` deletes nothing"
        yield ("crons",), message, "Remove it: the service then runs every ten minutes."
