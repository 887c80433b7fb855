"""Find resources that another stack in the same backend already manages."""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from flowflare.kinds import workers_script
from flowflare.kinds.registry import find_kind
from flowflare.state.backend import parse_stored
from flowflare.state.backends.store import Store
from flowflare.state.checkpoint import Resource

_STACKS: Final = ".pulumi/stacks/"


def find_owned_elsewhere(
    records: Iterable[Resource], states: Iterable[tuple[str, Any]]
) -> Iterator[tuple[Resource, str]]:
    """Find records whose resources are in another stack's state.

    Args:
        states: the names of other stacks with their parsed checkpoints.

    Yields:
        The record, and the other stack's name.
    """
    wanted = {
        _make_key(record.type, record.id, record.inputs): record
        for record in records
        if _is_owned(record.type)
    }
    for name, raw in states:
        for other in _list_resources(raw):
            inputs = other.get("inputs") or {}
            key = _make_key(str(other.get("type")), str(other.get("id")), inputs)
            if key in wanted:
                yield wanted[key], name


def list_owned_scripts(states: Iterable[tuple[str, Any]], account: str) -> dict[str, str]:
    """Return the scripts of an account that other stacks manage, with the stack's name.

    Args:
        states: the names of other stacks with their parsed checkpoints.
    """
    return {
        str(resource.get("id")): stack
        for stack, raw in states
        for resource in _list_resources(raw)
        if resource.get("type") == workers_script.KIND.type
        and (resource.get("inputs") or {}).get("accountId") == account
    }


def _is_owned(type_: str) -> bool:
    kind = find_kind(type_)
    return kind is not None and kind.is_owned


def identify(record: Resource) -> tuple[str, str, str]:
    """Return the record's identity within a stack; a subdomain's ID is only its account's."""
    return record.type, record.id, str(record.inputs.get("scriptName") or "")


def read_other_states(store: Store, own: str) -> Iterator[tuple[str, Any]]:
    """Read the checkpoints of other stacks in a backend; unreadable ones are skipped.

    Args:
        own: this stack's key, without the suffix of compression.
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


def _list_resources(raw: Any) -> list[Mapping[str, Any]]:
    try:
        found = raw["checkpoint"]["latest"]["resources"]
    except (KeyError, TypeError):
        return []
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _make_key(type_: str, identity: str, inputs: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return a resource's identity. IDs are unique in an account, and script names are IDs."""
    return type_, identity, str(inputs.get("accountId") or inputs.get("zoneId") or "")
