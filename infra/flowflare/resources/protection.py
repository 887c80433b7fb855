"""Says which resources of a stack hold data; the protection of nothing else can be lifted."""

from collections.abc import Iterator
from pathlib import Path

from flowflare.config.files import read_project
from flowflare.config.problems import Places, full_key, nearest
from flowflare.errors import ConfigError, Problem
from flowflare.kinds.registry import find_kind
from flowflare.model.names import hyphenated
from flowflare.model.stack import StackSpec

_KEY = "allowDataLoss"


def holding_data(name: str, spec: StackSpec) -> list[str]:
    """The names of the resources that `protect` guards.

    Args:
        name: the stack component's name, the first part of every name in it.
        spec: the stack.
    """
    service = f"{name}-service"
    found = [f"{service}-database", f"{service}-class-migrations", f"{service}-script"]
    for client in spec.clients:
        own = f"{name}-{client.name}"
        found += [f"{own}-{hyphenated(one.binding)}-database" for one in client.databases]
        found += [f"{own}-{one.part}" for one in client.own if _holds_data(one.type)]
        if client.class_migrations:
            found += [f"{own}-class-migrations", f"{own}-script"]
    return found


def _holds_data(type_: str) -> bool:
    kind = find_kind(type_)
    return kind is not None and kind.holds_data


def check_data_loss(name: str, spec: StackSpec, root: Path) -> None:
    """Refuses entries of `flowflare:allowDataLoss` that name no resource with data.

    Args:
        name: the stack component's name.
        spec: the stack.
        root: the project's folder, for the places of the entries.

    Raises:
        ConfigError: every such entry.
    """
    known = holding_data(name, spec)
    unknown = [one for one in spec.allow_data_loss if one not in known]
    if unknown:
        problems = _problems(unknown, known, spec.stack, root)
        raise ConfigError(sorted(problems, key=lambda one: int(one.place.partition(":")[2] or 0)))


def _problems(unknown: list[str], known: list[str], stack: str, root: Path) -> Iterator[Problem]:
    try:
        places = Places(read_project(root, stack).places, stack)
    except ConfigError:
        places = Places(None, stack)  # the values are from elsewhere, as in a test
    for one in unknown:
        message = f"`{full_key((_KEY, one))}`: the stack has no resource of that name with data"
        remedy = (
            f"{nearest(one, known, 'Resources with data')} "
            "What has been removed needs no entry any more."
        )
        yield Problem(places.of((_KEY, one)), message, remedy)
