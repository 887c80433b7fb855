"""Turns the metadata of a step, as the Pulumi engine streams it, into a step of `engine.events`."""

from collections.abc import Mapping
from typing import Any, Final

from flowflare.engine.events import Change, Op, Step
from flowflare.engine.pulumi.stream import StepMetadata
from flowflare.engine.show import SECRET_TEXT, changes, shown_props
from flowflare.engine.state import PROVIDER_PREFIX, load_value
from flowflare.engine.urns import name_of
from flowflare.engine.values import UNKNOWN, Props, Value, map_leaves
from flowflare.engine.wire import UNKNOWN_TEXT

# The Pulumi engine's operations that are steps of ours. A replacement is told by its creating
# half; its `replace` and `delete-replaced` are parts of it, and so are reads and refreshes of none.
OPS: Final[Mapping[str, Op]] = {
    "same": "same",
    "create": "create",
    "import": "create",
    "update": "update",
    "create-replacement": "replace",
    "import-replacement": "replace",
    "delete": "delete",
    "read": "same",
}
_NOTES: Final = {"import": "imported", "read": "read, not managed"}


class _Masked:
    """Opens what the event stream shows of a secret: nothing."""

    def open(self, ciphertext: str) -> Value:
        """Returns the mask."""
        del ciphertext
        return SECRET_TEXT


def is_provider(metadata: StepMetadata) -> bool:
    """Whether the step is about a provider itself, which no plan lists."""
    return metadata.type.startswith(PROVIDER_PREFIX)


def step_of(metadata: StepMetadata) -> Step | None:
    """The step that an event's metadata describes; None where it is part of another.

    Args:
        metadata: what the event says of the step.
    """
    op = OPS.get(metadata.op)
    if op is None or is_provider(metadata):
        return None
    old, new = metadata.old, metadata.new
    shown = new or old
    before = _props(old.inputs) if old and op != "create" else None
    after = _props(new.inputs) if new and op != "delete" else None
    keys = tuple(metadata.keys or ())
    return Step(
        op=op,
        urn=metadata.urn,
        type=metadata.type,
        name=name_of(metadata.urn),
        custom=shown.custom if shown else True,
        changes=_changes(metadata, op, before or {}, after or {}, keys),
        replaces=keys if op == "replace" else (),
        note=_NOTES.get(metadata.op, ""),
        old=None if before is None else shown_props(before),
        new=None if after is None else shown_props(after),
        outputs=shown_props(_props(old.outputs)) if old and op != "create" else None,
        protected=bool(old and old.protect),
        protect=bool(new and new.protect),
    )


def outputs_of(metadata: StepMetadata) -> dict[str, Any]:
    """The outputs of the resource after the step, secrets and unknowns by their names."""
    return shown_props(_props(metadata.new.outputs)) if metadata.new else {}


def _props(raw: Mapping[str, Any] | None) -> Props:
    """Properties of the event stream as the engine's values."""

    def leaf(value: Value) -> Value:
        return UNKNOWN if value == UNKNOWN_TEXT else value

    return {
        key: map_leaves(load_value(value, _Masked()), leaf) for key, value in (raw or {}).items()
    }


def _changes(
    metadata: StepMetadata, op: Op, old: Props, new: Props, keys: tuple[str, ...]
) -> tuple[Change, ...]:
    """The differences that the inputs show, and those that only the engine can see."""
    if op in ("same", "delete"):
        return ()
    found = list(changes(old, new, replaces=keys))
    if op == "create":
        return tuple(found)
    kinds = {path: one.diff_kind for path, one in (metadata.detailed_diff or {}).items()}
    kinds = kinds or dict.fromkeys(metadata.diffs or (), "update")
    for path, kind in sorted(kinds.items()):
        if not any(_covers(one.path, path) for one in found) and not path.startswith("__"):
            found.append(_unseen(path, kind))
    return tuple(sorted(found, key=lambda one: one.path))


def _covers(shown: str, path: str) -> bool:
    return _top(shown) == _top(path)


def _top(path: str) -> str:
    return path.replace("[", ".").split(".", 1)[0]


def _unseen(path: str, kind: str) -> Change:
    """A difference between values that are secret, or that only the provider knows."""
    plain, _, forces = kind.partition("-")
    if plain == "add":
        return Change(path, "add", new=SECRET_TEXT, replaces=bool(forces))
    if plain == "delete":
        return Change(path, "delete", old=SECRET_TEXT, replaces=bool(forces))
    return Change(path, "update", SECRET_TEXT, SECRET_TEXT, replaces=bool(forces))
