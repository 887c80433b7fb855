"""Check the class migrations of clients, each client's alone and all together."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flowflare.config.problems import Finding, Path, mapping
from flowflare.kinds.bindings import durable_object_namespace
from flowflare.model import names
from flowflare.model.class_history import HistoryFinding, find_mistakes, list_classes_after
from flowflare.model.class_migrations import (
    SERVICE_HISTORY,
    ClassMigration,
    TransferredClass,
    from_wire,
)
from flowflare.model.class_neighbours import find_neighbours

_LISTS = {"newSqliteClasses": "new_sqlite_classes", "deletedClasses": "deleted_classes"}
_MAPS = {
    "renamedClasses": ("renamed_classes", {"from": "from", "to": "to"}),
    "transferredClasses": (
        "transferred_classes",
        {"from": "from", "fromScript": "from_script", "to": "to"},
    ),
}


def check_classes(
    written: Mapping[str, Any], environment: str, clients: Mapping[str, dict[str, Any]]
) -> Iterator[Finding]:
    """Find class migrations that Cloudflare would refuse, or that would lose objects silently.

    Args:
        written: the configuration's keys without the namespace.
        clients: the clients as they are written, by name.
    """
    scripts = script_names(written, environment, clients)
    histories = {
        script: _read_history(mapping(clients.get(client)), scripts)
        for client, script in scripts.items()
        if client != names.SERVICE
    } | {scripts[names.SERVICE]: SERVICE_HISTORY}
    for client, fields in clients.items():
        script = scripts[client]
        taken = find_neighbours(script, histories).taken
        bound = {
            binding: name
            for binding, value in mapping(fields.get("durableObjects")).items()
            if isinstance(name := mapping(value).get("className"), str)
        }
        for found in find_mistakes(histories[script], bound=bound, taken=taken):
            if found.step is None or not _is_misread(fields, histories[script], found.step):
                yield _path(client, found), found.message, found.remedy
        yield from _check_transfers(client, script, scripts, histories)
        yield from _check_bindings(client, fields, scripts, histories)


def _path(client: str, found: HistoryFinding) -> Path:
    if found.binding is not None:
        return ("clients", client, "durableObjects", found.binding, "className")
    return ("clients", client, "classMigrations", *([] if found.step is None else [found.step]))


def _check_transfers(
    client: str,
    script: str,
    scripts: Mapping[str, str],
    histories: Mapping[str, Sequence[ClassMigration]],
) -> Iterator[Finding]:
    """Check the classes that a client takes over from scripts of the same stack."""
    owners = {name: owner for owner, name in scripts.items()}
    for index, step in enumerate(histories[script]):
        for position, moved in enumerate(step.transferred_classes):
            path: Path = (
                "clients", client, "classMigrations", index, "transferredClasses", position,
            )  # fmt: skip
            for message, remedy in _check_transfer(moved, script, owners, histories):
                yield path, message, remedy


def _check_transfer(
    moved: TransferredClass,
    script: str,
    owners: Mapping[str, str],
    histories: Mapping[str, Sequence[ClassMigration]],
) -> Iterator[tuple[str, str]]:
    source = moved.from_script
    if source not in histories:
        return
    owner = owners[source]
    if source == script:
        yield (
            "moves a class from the client itself",
            f"Write renamedClasses: [{{from: {moved.old}, to: {moved.new}}}]",
        )
        return
    if owner == names.SERVICE:
        yield "moves a class of the service", "The service's classes are Flowflare's own."
        return
    if moved.old not in list_classes_after(histories[source]):
        yield (
            f"moves `{moved.old}`, which client `{owner}` does not have after its class migrations",
            f"Do not delete or rename the class in the classMigrations of `{owner}`, or write its "
            "last name here.",
        )
    others = find_neighbours(source, histories).taken
    if others.get(moved.old) != script:
        yield (
            f"moves `{moved.old}` of client `{owner}`, but `{owners[others[moved.old]]}` "
            "also takes over this class",
            "Only one client can take over a class.",
        )
    if any(
        transfer.from_script == script
        for step in histories[source]
        for transfer in step.transferred_classes
    ):
        yield (
            f"moves a class from client `{owner}`, and that client takes a class from this client",
            "Move in one direction, run `flowflare up`, then append the other step.",
        )


def _check_bindings(
    client: str,
    fields: Mapping[str, Any],
    scripts: Mapping[str, str],
    histories: Mapping[str, Sequence[ClassMigration]],
) -> Iterator[Finding]:
    """Find bindings to classes that another client of the stack does not have."""
    owners = {name: owner for owner, name in scripts.items()}
    for binding, value in mapping(fields.get("bindings")).items():
        script, name = mapping(value).get("script_name"), mapping(value).get("class_name")
        is_class = mapping(value).get("type") == durable_object_namespace.BINDING.name
        if not is_class or script not in histories:
            continue
        owner, taken = owners[str(script)], find_neighbours(str(script), histories).taken
        found = find_mistakes(histories[str(script)], bound={binding: str(name)}, taken=taken)
        for finding in found:
            if finding.binding is not None:
                path: Path = ("clients", client, "bindings", binding, "class_name")
                remedy = finding.remedy.replace("the client's", f"`{owner}`'s")
                yield path, f"in client `{owner}`: {finding.message}", remedy


def script_names(
    written: Mapping[str, Any], environment: str, clients: Mapping[str, object]
) -> dict[str, str]:
    """Return the names in the account of the service's and the clients' scripts."""
    own = mapping(written.get("names"))
    tenant = written.get("tenant") if isinstance(written.get("tenant"), str) else None
    chosen = {**mapping(own.get("clients")), names.SERVICE: own.get(names.SERVICE)}
    return {
        what: str(chosen.get(what) or names.make_physical_name(tenant, environment, what))
        for what in (*clients, names.SERVICE)
    }


def _read_history(
    fields: Mapping[str, Any], scripts: Mapping[str, str]
) -> tuple[ClassMigration, ...]:
    """Read the valid parts of a client's class migrations."""
    steps = fields.get("classMigrations")
    wire = []
    for step in steps if isinstance(steps, list) else ():
        read: dict[str, Any] = {"tag": str(mapping(step).get("tag"))}
        for key, name in _LISTS.items():
            read[name] = [item for item in _list(step, key) if isinstance(item, str)]
        for key, (name, fields_of) in _MAPS.items():
            read[name] = [
                {ours: item[theirs] for theirs, ours in fields_of.items()}
                for item in _list(step, key)
                if all(isinstance(mapping(item).get(field), str) for field in fields_of)
            ]
        for moved in read["transferred_classes"]:
            moved["from_script"] = scripts.get(moved["from_script"], moved["from_script"])
        wire.append(read)
    return from_wire(wire)


def _is_misread(fields: Mapping[str, Any], history: Sequence[ClassMigration], index: int) -> bool:
    """Return whether a step only has invalid content, which the schema reports."""
    step = mapping(fields["classMigrations"][index])
    return not history[index].step() and set(step) - {"tag"} != set()


def _list(step: object, key: str) -> list[Any]:
    value = mapping(step).get(key)
    return value if isinstance(value, list) else []
