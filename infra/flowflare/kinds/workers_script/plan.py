"""The bindings that a script gets and loses in a plan."""

from collections.abc import Mapping
from typing import Any

from flowflare.kinds.assessment import ChangedBinding, Details
from flowflare.values.events import Step


def describe(step: Step) -> Details:
    """What a report says of a script's bindings."""
    before, after = _bindings(step.old), _bindings(step.new)
    if before is None or after is None or step.op in ("create", "delete", "same"):
        return Details()  # one of the lists is secret as a whole, or there is nothing to compare
    return Details(
        bindings_added=tuple(after[name] for name in sorted(after.keys() - before.keys())),
        bindings_dropped=tuple(before[name] for name in sorted(before.keys() - after.keys())),
    )


def _bindings(props: Mapping[str, Any] | None) -> dict[str, ChangedBinding] | None:
    """The bindings of a Worker's inputs by name; None if the list is secret as a whole."""
    bindings = (props or {}).get("bindings")
    if bindings is not None and not isinstance(bindings, list):
        return None
    return {
        str(one["name"]): ChangedBinding(name=str(one["name"]), type=str(one.get("type") or ""))
        for one in bindings or ()
        if isinstance(one, dict) and "name" in one
    }
