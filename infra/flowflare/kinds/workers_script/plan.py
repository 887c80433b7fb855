"""The bindings that a script gets and loses in a plan."""

from collections.abc import Mapping
from typing import Any

from flowflare.kinds.assessment import ChangedBinding, Details
from flowflare.values.events import Step


def describe(step: Step) -> Details:
    """Return the details for a report: the added and dropped bindings of a script."""
    before, after = _bindings(step.old), _bindings(step.new)
    if before is None or after is None or step.op in ("create", "delete", "same"):
        return Details()  # a list is secret, or there is nothing to compare
    return Details(
        bindings_added=tuple(after[name] for name in sorted(after.keys() - before.keys())),
        bindings_dropped=tuple(before[name] for name in sorted(before.keys() - after.keys())),
    )


def _bindings(props: Mapping[str, Any] | None) -> dict[str, ChangedBinding] | None:
    """Return the bindings in a Worker's inputs by name; None if the whole list is secret."""
    bindings = (props or {}).get("bindings")
    if bindings is not None and not isinstance(bindings, list):
        return None
    return {
        str(binding["name"]): ChangedBinding(
            name=str(binding["name"]), type=str(binding.get("type") or "")
        )
        for binding in bindings or ()
        if isinstance(binding, dict) and "name" in binding
    }
