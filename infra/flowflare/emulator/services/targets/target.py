"""Define a kind of binding target: a file describes each kind, and `kinds` lists them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flowflare.emulator import codes
from flowflare.emulator.envelope import Code

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    """Describe one target in an account.

    Attributes:
        id: its ID in paths and bindings; its name if Cloudflare assigns no ID.
        key: its key in workerd, which is never reused.
        record: its other properties.
    """

    account: str
    kind: str
    id: str
    name: str
    key: str
    created_on: str
    record: Record


@dataclass(frozen=True)
class Uses:
    """Hold the names of the scripts that are bound to a target, and a queue's consumers."""

    scripts: list[str]
    consumers: list[dict[str, Any]]


Update = Callable[[Target, dict[str, Any], Mapping[str, str]], tuple[str, Record]]
"""From a target, a request's body and its headers: the target's new name and properties."""


def run_by_key(target: Target) -> dict[str, str | None]:
    """Return what the Workers runtime needs of a target whose data is stored by its key."""
    return {"kind": target.kind, "key": target.key, "value": None}


@dataclass(frozen=True)
class TargetKind:
    """Describe a kind of target.

    Attributes:
        words: what its targets are called, in the plural.
        path: the path below the account.
        binding: the type of the bindings to it.
        bound_by: the property of a binding that names the target.
        read_bound: returns what a binding contains; None if `bound_by` alone says it.
        view: renders a target for answers.
        exists: the error for a `name` that already exists.
        missing: the error for an unknown ID.
        unbound: the error for a `binding` to a target that does not exist, by its `name`.
        is_bindable: whether Workers may be bound to a target with these properties.
        not_bindable: the error for a `binding` to a target that is not bindable.
        title: the field that holds the name.
        called_by: what paths contain: the assigned ID, or the name.
        bound_to: what bindings contain.
        listed: the key of the list in an answer's result; empty if the result is the list.
        found_by_name: whether a list can be limited to some names.
        updates: what a request to a target's path changes, by method.
        check: refuses an invalid name or property.
        in_use: the error for deleting a target, by its `name`, that `scripts` are bound to.
        create: completes the properties of a new target from the headers of its request.
        is_visible: whether a request with these headers reaches a target.
        deleted: the result of a deletion.
        not_empty: the error for deleting a target of an `account`, by its `name`, with objects.
        run: what the Workers runtime needs of a target, by its `kind` in `options.mjs`; None if
            Workers do not see the binding.
        run_absent: the same for a target that no longer exists, by what the binding contains;
            None if the Worker is then run without the binding.
        queue_settings: what the runtime must know of a queue besides its bindings.
    """

    name: str
    words: str
    path: str
    binding: str
    bound_by: str
    view: Callable[[Target, Callable[[], Uses]], dict[str, Any]]
    exists: Code
    missing: Code
    unbound: Code
    read_bound: Callable[[Mapping[str, Any]], str] | None = None
    is_bindable: Callable[[Record], bool] = lambda _record: True
    not_bindable: Code | None = None
    title: str = "name"
    called_by: Literal["id", "name"] = "id"
    bound_to: Literal["id", "name"] = "id"
    listed: str = ""
    found_by_name: bool = False
    updates: Mapping[str, Update] = field(default_factory=dict)
    check: Callable[[str, Record], None] = lambda _name, _record: None
    in_use: Code | None = None
    create: Callable[[Record, Mapping[str, str]], Record] = lambda record, _headers: record
    is_visible: Callable[[Target, Mapping[str, str]], bool] = lambda _target, _headers: True
    deleted: Mapping[str, Any] | None = None
    not_empty: Code | None = None
    run: Callable[[Target], dict[str, Any]] | None = None
    run_absent: Callable[[str], dict[str, Any]] | None = None
    queue_settings: Callable[[Target], dict[str, Any]] | None = None

    def name_in_bindings(self, target: Target) -> str:
        """Return what bindings to a target contain: its ID or its name."""
        return target.id if self.bound_to == "id" else target.name

    def name_in(self, binding: Mapping[str, Any]) -> str:
        """Return what a binding contains of its target: the ID or the name."""
        return self.read_bound(binding) if self.read_bound else str(binding.get(self.bound_by))


def pop_name(body: dict[str, Any], title: str) -> str:
    """Remove the name from a body and return it. Refusal: 10001, the body has no name."""
    name = body.pop(title, None)
    if not isinstance(name, str) or not name:
        raise codes.invalid_body(f"`{title}` must be a name.")
    return name
