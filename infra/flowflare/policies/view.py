"""Define what a policy sees of a stack: its resources after `up`, its configuration, the plan.

Everything is immutable and contains no secrets.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Protocol

from flowflare.values.properties import Secret
from flowflare.values.wire import SECRET, SIGNATURE, UNKNOWN_TEXT

_SECRET: Final = "[secret]"  # noqa: S105 -- a placeholder


class PlannedChanges(Protocol):
    """What a policy sees of the review of an `up`."""

    @property
    def entries(self) -> Sequence[Any]:
        """Every resource: its name, risk and reasons."""

    @property
    def api_calls(self) -> int:
        """How many requests to Cloudflare's API `up` would take."""


@dataclass(frozen=True)
class Violation:
    """A violation of a policy.

    Attributes:
        message: what is wrong, as part of a sentence: "its name begins with no owner".
        remedy: how to correct it.
        resource: the resource's name; empty for the whole stack.
        key: the configuration key that caused it, such as `allowedOrigins`, to find its file and
            line; empty if there is none.
    """

    message: str
    remedy: str = ""
    resource: str = ""
    key: str = ""


@dataclass(frozen=True)
class Resource:
    """A resource as the program declares it.

    Attributes:
        name: the resource's name in the program.
        type: its type token.
        inputs: its inputs, in camelCase for Cloudflare's own types; `[secret]` and `[unknown]` are
            placeholders.
        protect: whether it is protected.
    """

    name: str
    type: str
    inputs: Mapping[str, Any]
    protect: bool = False

    @property
    def kind(self) -> str:
        """The last part of the type token: `D1Database`."""
        return self.type.rpartition(":")[2]

    def violation(self, message: str, *, remedy: str = "", key: str = "") -> Violation:
        """Make a violation of the policy by this resource."""
        return Violation(message, remedy, self.name, key)


@dataclass(frozen=True)
class Stack:
    """A stack as the program declares it.

    Attributes:
        tenant: the stack's tenant; empty if it has none.
        resources: the declared resources, sorted by name, without those that will be deleted.
        configuration: the keys of the namespace `flowflare` without the prefix, such as
            `allowedOrigins`, without secrets.
        plan: what `up` would do; None if there is no state to compare with, as for Python policies
            in `flowflare diff`.
    """

    project: str
    name: str
    tenant: str
    environment: str
    resources: tuple[Resource, ...]
    configuration: Mapping[str, Any] = field(default_factory=dict)
    plan: PlannedChanges | None = None

    def of_type(self, *kinds: str) -> Iterator[Resource]:
        """Select the resources whose type ends with one of the words, such as `D1Database`."""
        return (resource for resource in self.resources if resource.kind in kinds)

    def violation(self, message: str, *, remedy: str = "", key: str = "") -> Violation:
        """Make a violation of the policy by the stack as a whole."""
        return Violation(message, remedy, "", key)


def freeze(value: Any) -> Any:
    """Return an immutable copy of a JSON value, with secrets as placeholders."""
    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET:
            return _SECRET
        return MappingProxyType({key: freeze(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return tuple(map(freeze, value))
    if isinstance(value, Secret):
        return _SECRET
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return "[unknown]" if value == UNKNOWN_TEXT else value
