"""What the risk of a step depends on beside the step: the Durable Object classes in its plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flowflare.kinds import api_key, durable_object_migrations, workers_script
from flowflare.values.events import Step

_NAMESPACE: Final = "durable_object_namespace"

Props = Mapping[str, Any]


@dataclass(frozen=True)
class Surroundings:
    """What a step's meaning depends on beside the step.

    Attributes:
        old: Durable Object classes by the name of the script that implements them, as in state.
        new: the same as the program wants it.
        another_key: whether a generation of the API key begins.
    """

    old: Mapping[str, Sequence[str]]
    new: Mapping[str, Sequence[str]]
    another_key: bool = False

    @classmethod
    def of(cls, steps: Sequence[Step]) -> "Surroundings":
        """What a plan's steps say."""
        begins = any(one.op == "create" and one.type == api_key.KIND.type for one in steps)
        return cls(implemented(steps), implemented(steps, new=True), begins)


def implemented(steps: Sequence[Step], *, new: bool = False) -> dict[str, tuple[str, ...]]:
    """The Durable Object classes of each script by the script's name, sorted.

    Args:
        steps: the plan's steps.
        new: whether as the program wants it; otherwise as it stands in state.
    """
    found: dict[str, set[str]] = {}
    for step in steps:
        props = (step.new if new else step.old) or {}
        if step.type == durable_object_migrations.KIND.type:
            name, classes = props.get("script_name"), _after(props.get("history") or ())
        elif step.type == workers_script.KIND.type:
            name, classes = props.get("scriptName"), _bound(props)
        else:
            continue
        if isinstance(name, str):
            found.setdefault(name, set()).update(classes)
    return {name: tuple(sorted(classes)) for name, classes in found.items() if classes}


def _bound(script: Props) -> set[str]:
    """Classes that a script binds and, since it names no other script, implements itself."""
    bindings = script.get("bindings")
    return {
        one["className"]
        for one in (bindings if isinstance(bindings, list) else ())
        if one.get("type") == _NAMESPACE
        and one.get("scriptName") in (None, script.get("scriptName"))
        and isinstance(one.get("className"), str)
    }


def _after(history: Sequence[Props]) -> set[str]:
    """The classes that there are once a history has been applied."""
    classes: set[str] = set()
    for step in history:
        classes |= {*(step.get("new_sqlite_classes") or ()), *(step.get("new_classes") or ())}
        classes -= {*(step.get("deleted_classes") or ())}
        for renamed in step.get("renamed_classes") or ():
            classes = (classes - {renamed["from"]}) | {renamed["to"]}
        classes |= {moved["to"] for moved in step.get("transferred_classes") or ()}
    return classes
