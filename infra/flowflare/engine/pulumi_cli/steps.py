"""Turn the metadata of a step in the Pulumi engine's stream into a step of `values.events`."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from flowflare.engine.pulumi_cli.stream import StepMetadata
from flowflare.state.checkpoint import PROVIDER_PREFIX, load_value
from flowflare.values.events import Change, Op, Step
from flowflare.values.properties import UNKNOWN, Props, Value, map_leaves
from flowflare.values.show import SECRET_TEXT, Mask, changes, shown_props, summarize
from flowflare.values.urns import name_of
from flowflare.values.wire import UNKNOWN_TEXT

# The Pulumi engine's operations that are steps of ours. A replacement is its creating half;
# `replace` and `delete-replaced` are parts of it. Refreshes are not steps.
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


def is_provider(metadata: StepMetadata) -> bool:
    """Return whether the step is about a provider itself, which plans do not list."""
    return metadata.type.startswith(PROVIDER_PREFIX)


def step_of(metadata: StepMetadata) -> Step | None:
    """Make the step that an event's metadata describes; None if it is part of another step."""
    op = OPS.get(metadata.op)
    if op is None or is_provider(metadata):
        return None
    old, new = metadata.old, metadata.new
    shown = new or old
    before = _props(old.inputs) if old and op != "create" else None
    after = _props(new.inputs) if new and op != "delete" else None
    keys = tuple(metadata.keys or ())
    found = _changes(metadata, op, before or {}, after or {}, keys)
    return Step(
        op=op,
        urn=metadata.urn,
        type=metadata.type,
        name=name_of(metadata.urn),
        custom=shown.custom if shown else True,
        changes=found,
        replaces=keys if op == "replace" else (),
        note=_note(metadata, op, found),
        old=None if before is None else shown_props(before),
        new=None if after is None else shown_props(after),
        outputs=shown_props(_props(old.outputs)) if old and op != "create" else None,
        protected=bool(old and old.protect),
        protect=bool(new and new.protect),
    )


def outputs_of(metadata: StepMetadata) -> dict[str, Any]:
    """Return the resource's outputs after the step, with marks for secrets and unknown values."""
    return shown_props(_props(metadata.new.outputs)) if metadata.new else {}


def _props(raw: Mapping[str, Any] | None) -> Props:
    """Convert properties of the event stream to the engine's values."""

    def leaf(value: Value) -> Value:
        return UNKNOWN if value == UNKNOWN_TEXT else value

    return {key: map_leaves(load_value(value, Mask()), leaf) for key, value in (raw or {}).items()}


def _changes(
    metadata: StepMetadata, op: Op, old: Props, new: Props, keys: tuple[str, ...]
) -> tuple[Change, ...]:
    """Find the differences between the inputs, and those that only the provider reports."""
    if op in ("same", "delete"):
        return ()
    found = list(changes(old, new, replaces=keys))
    if op == "create":
        return tuple(found)
    outputs = _props(metadata.old.outputs) if metadata.old else {}
    for path, kind in sorted(_kinds(metadata).items()):
        key = _top(path)
        if key.startswith("__") or any(_top(change.path) == key for change in found):
            continue
        if _is_computed(key, kind, old, new):
            continue
        change = _unseen(path, kind, outputs.get(key, old.get(key)), new.get(key))
        found += [change] if change else []
    return tuple(sorted(found, key=lambda change: change.path))


def _kinds(metadata: StepMetadata) -> dict[str, str]:
    """Return the paths that the provider reports as different, with the kind of difference."""
    kinds = {path: diff.diff_kind for path, diff in (metadata.detailed_diff or {}).items()}
    return kinds or dict.fromkeys(metadata.diffs or (), "update")


def _is_computed(key: str, kind: str, old: Props, new: Props) -> bool:
    """Return whether a difference is an output that the update computes again.

    Cloudflare's plugin lists each of them among the `diffs` of an update: they become unknown.
    """
    return key not in old and key not in new and kind.startswith("update")


def _top(path: str) -> str:
    return path.replace("[", ".").split(".", 1)[0]


def _unseen(path: str, kind: str, old: Value, new: Value) -> Change | None:
    """Make a change that the inputs do not show; None if the values are equal.

    Args:
        kind: the kind that the provider reports, such as `update-replace`.
        old: the output, else the input, in state at the first part of the path.
        new: the program's input there.
    """
    plain, _, forces = kind.partition("-")
    told_kind: Literal["add", "delete", "update"] = (
        "add" if plain == "add" else "delete" if plain == "delete" else "update"
    )
    before, after = summarize(old), summarize(new)
    if path != _top(path) or (before == after and SECRET_TEXT in str(before)):
        before, after = SECRET_TEXT, SECRET_TEXT  # the difference is below the path, or hidden
    elif before == after:
        return None
    return Change(
        path,
        told_kind,
        old=None if told_kind == "add" else before,
        new=None if told_kind == "delete" else after,
        replaces=bool(forces),
    )


def _note(metadata: StepMetadata, op: Op, found: tuple[Change, ...]) -> str:
    """Return a note on a step that its changes do not show."""
    if op == "update" and not found and metadata.new and metadata.new.custom:
        computed = sorted(path for path in _kinds(metadata) if not path.startswith("__"))
        anew = f" and computes {', '.join(computed)} anew" if computed else ""
        return f"no input differs: its provider updates it{anew}"
    return _NOTES.get(metadata.op, "")
