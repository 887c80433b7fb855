"""List the resources of a stack that hold data; only their protection can be lifted."""

from collections.abc import Iterator
from pathlib import Path

from flowflare.config.problems import Places, full_key, nearest
from flowflare.errors import ConfigError, Problem
from flowflare.kinds.registry import find_kind
from flowflare.model.names import hyphenate
from flowflare.model.stack import StackSpec
from flowflare.resources.project import find_own_project

_KEY = "allowDataLoss"


def list_holding_data(name: str, spec: StackSpec) -> list[str]:
    """Return the names of the resources that `protect` guards.

    Args:
        name: the stack component's name, which every resource name begins with.
    """
    service = f"{name}-service"
    found = [f"{service}-database", f"{service}-class-migrations", f"{service}-script"]
    for client in spec.clients:
        own = f"{name}-{client.name}"
        found += [f"{own}-{hyphenate(database.binding)}-database" for database in client.databases]
        found += [f"{own}-{part.part}" for part in client.own if _holds_data(part.type)]
        if client.class_migrations:
            found += [f"{own}-class-migrations", f"{own}-script"]
    return found


def _holds_data(type_: str) -> bool:
    kind = find_kind(type_)
    return kind is not None and kind.holds_data


def check_data_loss(name: str, spec: StackSpec, root: Path) -> None:
    """Refuse entries of `flowflare:allowDataLoss` that do not name a resource with data.

    Args:
        root: the project's folder, to find the lines of the entries.

    Raises:
        ConfigError: lists every such entry.
    """
    known = list_holding_data(name, spec)
    unknown = [entry for entry in spec.allow_data_loss if entry not in known]
    if unknown:
        problems = _make_problems(unknown, known, spec.stack, root)
        raise ConfigError(sorted(problems, key=lambda item: int(item.place.partition(":")[2] or 0)))


def _make_problems(
    unknown: list[str], known: list[str], stack: str, root: Path
) -> Iterator[Problem]:
    written = find_own_project(root, stack)
    places = Places(written.places if written else None, stack)
    for entry in unknown:
        key = full_key((_KEY, entry))
        message = f"`{key}`: the stack does not have a resource of that name with data"
        remedy = (
            f"{nearest(entry, known, 'Resources with data')} "
            "A removed resource no longer needs an entry."
        )
        yield Problem(places.of((_KEY, entry)), message, remedy)
