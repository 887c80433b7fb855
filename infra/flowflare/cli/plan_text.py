"""A plan in words, and as plain data for `--json`."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from flowflare.cli.progress import DONE, MARKS, short_type

if TYPE_CHECKING:
    from flowflare.engine.events import Change, Plan, Step

TO_DO = {op: op for op in DONE}
WIDEST = 100


def summary(steps: Iterable["Step"], words: dict[str, str] = DONE) -> str:
    """How many resources were created, updated and so on: `2 created, 7 unchanged`."""
    counts: Counter[str] = Counter(step.op for step in steps if step.custom)
    parts = [f"{counts[op]} {word}" for op, word in words.items() if counts[op]]
    if counts["same"]:
        parts.append(f"{counts['same']} unchanged")
    return ", ".join(parts) or "no resources"


def step_json(step: "Step") -> dict[str, Any]:
    """One step as plain data."""
    return {
        "op": step.op,
        "name": step.name,
        "type": step.type,
        "urn": step.urn,
        "changes": [_change_json(change) for change in step.changes],
        "replaces": list(step.replaces),
        "note": step.note,
    }


def _change_json(change: "Change") -> dict[str, Any]:
    return {
        "path": change.path,
        "kind": change.kind,
        "old": change.old,
        "new": change.new,
        "replaces": change.replaces,
        "waits_for": list(change.waits_for),
    }


def plan_lines(plan: "Plan") -> Iterator[tuple[str, str]]:
    """The lines of a plan, each with the kind of operation that it belongs to."""
    for step in plan.steps:
        if step.op == "same" or not step.custom:
            continue
        note = f"  ({step.note})" if step.note else ""
        yield (
            step.op,
            f"  {MARKS[step.op]} {step.op:<8} {step.name:<36} {short_type(step.type)}{note}",
        )
        if step.op in {"update", "replace"}:
            for change in step.changes:
                yield step.op, f"        {_change_line(change)}"
    for failure in plan.failures:
        yield "delete", f"  ! {failure.name}: {failure.reason}"


def _change_line(change: "Change") -> str:
    if change.kind == "add":
        text = f"{change.path}: {_value(change.new)} (new)"
    elif change.kind == "delete":
        text = f"{change.path}: {_value(change.old)} (removed)"
    else:
        text = f"{change.path}: {_value(change.old)} -> {_value(change.new)}"
    if change.waits_for:
        text += f"  (known after {', '.join(change.waits_for)})"
    return f"{text}  (replaces)" if change.replaces else text


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    if "\n" in text or len(text) > WIDEST:
        lines = text.count("\n") + 1
        return f"[{len(text.encode())} bytes, {lines} lines]"
    return text or '""'
