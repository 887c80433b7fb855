"""Read what policies see of a stack from a plan, and from the recording of a commit."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flowflare.policies.view import Resource, freeze
from flowflare.values.events import Plan

_TEXT: Final = "$text"
_HIDDEN: Final = frozenset({"__provider", "__internal", "__meta"})


def list_planned(plan: Plan) -> tuple[Resource, ...]:
    """Return the resources that exist after an `up`."""
    found = (
        Resource(step.name, step.type, freeze(dict(step.new or {})), step.protect)
        for step in plan.steps
        if step.custom and step.op != "delete"
    )
    return _sort(found)


def list_recorded(raw: Mapping[str, Any], texts: Mapping[str, str]) -> tuple[Resource, ...]:
    """Return the resources of a dumped recording (`engine.embedded.recording.dump`).

    Args:
        texts: the recording's long strings by digest.
    """
    found = (
        Resource(
            str(record["urn"]).rpartition("::")[2],
            str(record["type"]),
            freeze(
                {
                    key: _restore_texts(value, texts)
                    for key, value in (record.get("inputs") or {}).items()
                    if key not in _HIDDEN
                }
            ),
            bool(record.get("protect")),
        )
        for record in raw["resources"]
        if record.get("custom")
    )
    return _sort(found)


def _sort(resources: Iterator[Resource]) -> tuple[Resource, ...]:
    return tuple(sorted(resources, key=lambda resource: (resource.name, resource.type)))


def _restore_texts(value: Any, texts: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        if value.keys() == {_TEXT}:
            return texts.get(value[_TEXT], "")
        return {key: _restore_texts(item, texts) for key, item in value.items()}
    return [_restore_texts(item, texts) for item in value] if isinstance(value, list) else value
