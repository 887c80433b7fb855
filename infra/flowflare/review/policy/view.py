"""What a policy sees of a stack: its resources as they will be, its configuration, the plan.

Everything is frozen, and no secret is in it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from flowflare.review.entries import Review
from flowflare.values.events import Plan
from flowflare.values.properties import Secret
from flowflare.values.wire import SECRET, SIGNATURE, UNKNOWN_TEXT

_SECRET: Final = "[secret]"  # noqa: S105 -- what is shown instead of one
_TEXT: Final = "$text"
# What holds data, beside scripts with Durable Object classes.
_HIDDEN: Final = frozenset({"__provider", "__internal", "__meta"})


@dataclass(frozen=True)
class Violation:
    """Something that breaks a policy.

    Attributes:
        message: what is wrong, a sentence's part as in "its name begins with no owner".
        remedy: what to write instead.
        resource: the resource's name; empty for the whole stack.
        key: the key of the configuration that it comes from, such as `allowedOrigins`, which leads
            to its file and line; empty where none does.
    """

    message: str
    remedy: str = ""
    resource: str = ""
    key: str = ""


@dataclass(frozen=True)
class Resource:
    """One resource as the program declares it.

    Attributes:
        name: its name in the program.
        type: its type's token.
        inputs: its inputs, camelCase for Cloudflare's own types; `[secret]` and `[unknown]` stand
            for such values.
        protect: whether it is protected.
    """

    name: str
    type: str
    inputs: Mapping[str, Any]
    protect: bool = False

    @property
    def kind(self) -> str:
        """The last word of the type: `D1Database`."""
        return self.type.rpartition(":")[2]

    def violation(self, message: str, *, remedy: str = "", key: str = "") -> Violation:
        """Says that it breaks the policy."""
        return Violation(message, remedy, self.name, key)


@dataclass(frozen=True)
class Stack:
    """One stack as the program declares it.

    Attributes:
        project: the project's name.
        name: the stack's name.
        tenant: whose stack it is; empty for none.
        environment: its environment.
        resources: what it declares, by name; what goes is not in it.
        configuration: the keys of the namespace `flowflare` without it, such as `allowedOrigins`;
            secrets are left out.
        plan: what `up` would do; None where there is nothing to compare with, as for Python
            policies in `flowflare diff`.
    """

    project: str
    name: str
    tenant: str
    environment: str
    resources: tuple[Resource, ...]
    configuration: Mapping[str, Any] = field(default_factory=dict)
    plan: Review | None = None

    def of_type(self, *kinds: str) -> Iterator[Resource]:
        """The resources whose type ends with one of the words, such as `D1Database`."""
        return (one for one in self.resources if one.kind in kinds)

    def violation(self, message: str, *, remedy: str = "", key: str = "") -> Violation:
        """Says that the stack as a whole breaks the policy."""
        return Violation(message, remedy, "", key)


def frozen(value: Any) -> Any:
    """A JSON value that nobody can change, secrets and long texts of recordings resolved."""
    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET:
            return _SECRET
        return MappingProxyType({key: frozen(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return tuple(map(frozen, value))
    if isinstance(value, Secret):
        return _SECRET
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return "[unknown]" if value == UNKNOWN_TEXT else value


def of_plan(plan: Plan) -> tuple[Resource, ...]:
    """The resources that there will be after an `up`."""
    found = (
        Resource(step.name, step.type, frozen(dict(step.new or {})), step.protect)
        for step in plan.steps
        if step.custom and step.op != "delete"
    )
    return _sorted(found)


def of_recording(raw: Mapping[str, Any], texts: Mapping[str, str]) -> tuple[Resource, ...]:
    """The resources of a dumped recording (`engine.recording.dump`).

    Args:
        raw: the recording.
        texts: its long texts by digest.
    """
    found = (
        Resource(
            str(one["urn"]).rpartition("::")[2],
            str(one["type"]),
            frozen(
                {
                    key: _whole(value, texts)
                    for key, value in (one.get("inputs") or {}).items()
                    if key not in _HIDDEN
                }
            ),
            bool(one.get("protect")),
        )
        for one in raw["resources"]
        if one.get("custom")
    )
    return _sorted(found)


def _sorted(resources: Iterator[Resource]) -> tuple[Resource, ...]:
    return tuple(sorted(resources, key=lambda one: (one.name, one.type)))


def _whole(value: Any, texts: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        if value.keys() == {_TEXT}:
            return texts.get(value[_TEXT], "")
        return {key: _whole(item, texts) for key, item in value.items()}
    return [_whole(item, texts) for item in value] if isinstance(value, list) else value
