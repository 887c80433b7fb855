"""Decide what to do with a resource, from state, the goal and the provider's diff, without I/O.

The order of the decisions is Pulumi's (`pkg/resource/deploy/step_generator.go`): a missing resource
is created; a forced replacement is decided before the provider is asked; if the provider does not
know, inputs are compared; `replaceOnChanges` turns changes into replacements; a record with
initErrors is updated.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from flowflare.engine.embedded.goal import Goal
from flowflare.kinds.handler import Diff
from flowflare.state.checkpoint import Resource
from flowflare.values.events import HALF_DONE, Op
from flowflare.values.properties import Props, Value, changed_keys, equal


@dataclass(frozen=True)
class Decision:
    """The operation on a resource.

    Attributes:
        replaces: what forces a replacement: property names, or the option that requests it.
        delete_before_replace: whether the old resource is deleted first.
        note: the reason, if the changes do not show it.
    """

    op: Op
    replaces: tuple[str, ...] = ()
    delete_before_replace: bool = False
    note: str = ""


def decide_forced(goal: Goal, old: Resource | None, replaced: Collection[str]) -> Decision | None:
    """Decide without the provider; return None if the provider has to be asked.

    Args:
        goal: what the program declares.
        old: the record in state; None if there is none.
        replaced: URNs replaced in this run.
    """
    if old is None:
        return Decision("create")
    if old.external:
        return Decision("replace", ("id",), note="was only read before, and is managed now")
    if not goal.custom:
        return Decision("same" if equal(old.inputs, goal.inputs, strict=True) else "update")
    if old.pending_replacement:
        return Decision("replace", delete_before_replace=True, note=HALF_DONE)
    reason = ""
    if not equal(old.replacement_trigger, goal.replacement_trigger):
        reason = "replacementTrigger"
    elif set(goal.replace_with) & set(replaced):
        reason = "replaceWith"
    first = goal.delete_before_replace is True
    return Decision("replace", (reason,), first) if reason else None


def decide_by_diff(goal: Goal, old: Resource, inputs: Props, diff: Diff) -> Decision:
    """Decide by the provider's diff.

    Args:
        goal: what the program declares.
        inputs: the checked inputs; ignored changes are already reverted.
    """
    changed = changed_keys(old.inputs, inputs)
    changes = diff.changes
    if changes is None:
        changes = bool(changed) or bool(diff.replaces)
    if changes or diff.replaces:
        replaces = diff.replaces + tuple(
            key for key in _forced_keys(goal.replace_on_changes, changed, old.inputs, inputs)
        )
        if replaces:
            first = diff.delete_before_replace
            if goal.delete_before_replace is not None:
                first = goal.delete_before_replace
            return Decision("replace", tuple(dict.fromkeys(replaces)), first)
        return Decision("update")
    if old.init_errors:
        return Decision("update", note=f"was left unfinished: {'; '.join(old.init_errors)}")
    return Decision("same")


def _forced_keys(paths: Sequence[str], changed: Sequence[str], old: Props, new: Props) -> list[str]:
    if "*" in paths:
        return list(changed)
    return [
        path
        for path in paths
        if path_parts(path)
        and path_parts(path)[0] in changed
        and not equal(read_path(old, path), read_path(new, path))
    ]


def path_parts(path: str) -> list[str | int]:
    """Split a property path: `a.b[0]["c.d"]` is a, b, 0, c.d."""
    parts: list[str | int] = []
    for name, index, quoted in re.findall(r'([^.\[\]"]+)|\[(\d+|\*)\]|\["([^"]*)"\]', path):
        parts.append(int(index) if index.isdigit() else (name or quoted or index))
    return parts


def read_path(value: Value, path: str) -> Value:
    """Return the value at a path; None if the path has no value."""
    for part in path_parts(path):
        if isinstance(part, int) and isinstance(value, list) and part < len(value):
            value = value[part]
        elif isinstance(part, str) and isinstance(value, dict):
            value = value.get(part)
        elif part == "*":
            return value  # a wildcard inside a path: the whole list is compared
        else:
            return None
    return value


def keep_ignored(goal: Goal, old: Resource) -> Goal:
    """Return the goal with the values of state at its `ignoreChanges` paths.

    A replacement uses the program's own values: as in Pulumi, ignored changes do not survive it.
    """
    inputs = goal.inputs
    for path in goal.ignore_changes:
        if path == "*":
            return replace(goal, inputs=old.inputs)
        parts = path_parts(path)
        if parts:
            inputs = _with(inputs, parts, old.inputs)
    return replace(goal, inputs=inputs)


_MISSING = object()


def _with(value: Value, parts: list[str | int], old: Value) -> Value:
    """Copy a value, but take the item at one path from another value, or remove it."""
    part, rest = parts[0], parts[1:]
    if part == "*" and isinstance(value, list) and isinstance(old, list):
        pairs = zip(value, old, strict=False)
        kept = [_with(new, rest, kept_item) if rest else kept_item for new, kept_item in pairs]
        return kept + value[len(kept) :]
    before = _get(old, part)
    if isinstance(value, dict) and isinstance(part, str):
        inner = _with(value.get(part, {}), rest, before) if rest and part in value else before
        copy = {**value, part: inner}
        if inner is _MISSING:
            del copy[part]
        return copy
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        if before is _MISSING:
            return value
        inner = _with(value[part], rest, before) if rest else before
        return [*value[:part], inner, *value[part + 1 :]]
    return value


def _get(value: Value, part: str | int) -> Value:
    if isinstance(value, dict):
        return value.get(part, _MISSING)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return _MISSING
