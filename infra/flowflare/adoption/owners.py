"""Finds whose a thing is: other stacks' states that lie beside this one's."""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from flowflare.kinds.registry import find_kind
from flowflare.state.backend import parse_stored
from flowflare.state.backends.store import Store
from flowflare.state.checkpoint import Resource

_STACKS: Final = ".pulumi/stacks/"


def owned_elsewhere(
    records: Iterable[Resource], states: Iterable[tuple[str, Any]]
) -> Iterator[tuple[Resource, str]]:
    """The records whose things another stack's state has.

    Args:
        records: what is to come into this stack's state.
        states: other stacks' names with their checkpoints, parsed.

    Yields:
        The record, and the other stack.
    """
    wanted = {_key(one.type, one.id, one.inputs): one for one in records if _is_owned(one.type)}
    for name, raw in states:
        for other in _resources(raw):
            inputs = other.get("inputs") or {}
            key = _key(str(other.get("type")), str(other.get("id")), inputs)
            if key in wanted:
                yield wanted[key], name


def _is_owned(type_: str) -> bool:
    kind = find_kind(type_)
    return kind is not None and kind.is_owned


def identity_of(record: Resource) -> tuple[str, str, str]:
    """Return what no two resources of a stack share; the ID of a subdomain is its account's."""
    return record.type, record.id, str(record.inputs.get("scriptName") or "")


def states_beside(store: Store, own: str) -> Iterator[tuple[str, Any]]:
    """The checkpoints of other stacks in a backend; what cannot be read is left out.

    Args:
        store: the backend.
        own: this stack's own key, without what compression adds.
    """
    keys = [key for key in store.keys(_STACKS) if not key.startswith(own)]
    for key, stored in sorted(store.read_many([key for key in keys if _is_state(key)]).items()):
        try:
            raw = parse_stored(stored.data)
        except (OSError, EOFError, ValueError, zlib.error):
            continue
        yield key.removeprefix(_STACKS).partition(".json")[0], raw


def _is_state(key: str) -> bool:
    return key.endswith((".json", ".json.gz"))


def _resources(raw: Any) -> list[Mapping[str, Any]]:
    try:
        found = raw["checkpoint"]["latest"]["resources"]
    except (KeyError, TypeError):
        return []
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _key(type_: str, identity: str, inputs: Mapping[str, Any]) -> tuple[str, str, str]:
    """Ids are an account's; of a script and a Workflow the id is its name."""
    return type_, identity, str(inputs.get("accountId") or inputs.get("zoneId") or "")
