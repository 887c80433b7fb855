"""The context of a step's risk: the Durable Object classes in its plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flowflare.kinds import api_key, durable_object_migrations, workers_script, workflow
from flowflare.values.events import Step
from flowflare.values.show import SECRET_TEXT, UNKNOWN_SHOWN

_NAMESPACE: Final = "durable_object_namespace"

Props = Mapping[str, Any]


@dataclass(frozen=True)
class KeptWorkflow:
    """A Workflow that exists before and after the plan, so it may have unfinished instances.

    Attributes:
        old: the script, class and code that run it now; the code is None if it is not known.
        new: the same after the plan.
        is_same: whether the Workflow's own resource does not change.
    """

    name: str
    old: "Implementation"
    new: "Implementation"
    is_same: bool


@dataclass(frozen=True)
class Implementation:
    """The class of a script that runs a Workflow.

    Attributes:
        code: the script's ES module; None if the plan does not have it.
    """

    script: str
    class_name: str
    code: str | None


@dataclass(frozen=True)
class Surroundings:
    """The context of a step's risk.

    Attributes:
        old: Durable Object classes in state by the name of the script that implements them.
        new: the same in the program.
        another_key: whether the plan creates another API key.
        workflows: the Workflows that the plan keeps.
    """

    old: Mapping[str, Sequence[str]]
    new: Mapping[str, Sequence[str]]
    another_key: bool = False
    workflows: Sequence[KeptWorkflow] = ()

    @classmethod
    def of(cls, steps: Sequence[Step]) -> "Surroundings":
        """Collect the context from a plan's steps."""
        begins = any(step.op == "create" and step.type == api_key.KIND.type for step in steps)
        kept = list_kept_workflows(steps)
        return cls(list_classes(steps), list_classes(steps, new=True), begins, kept)


def list_kept_workflows(steps: Sequence[Step]) -> tuple[KeptWorkflow, ...]:
    """List the Workflows that exist before and after the plan, with their code."""
    old, new = _map_code(steps, new=False), _map_code(steps, new=True)
    return tuple(
        KeptWorkflow(
            str(step.new.get("workflowName")),
            _read_implementation(step.old, old),
            _read_implementation(step.new, new),
            is_same=step.op == "same",
        )
        for step in steps
        if step.type == workflow.KIND.type and step.op in ("same", "update")
        if step.old is not None and step.new is not None
    )


def _map_code(steps: Sequence[Step], *, new: bool) -> dict[str, str]:
    """Map each script's name to its code, in the program or in state."""
    found = {}
    for step in steps:
        props = (step.new if new else step.old) or {}
        name, code = props.get("scriptName"), props.get("content")
        is_known = isinstance(code, str) and code not in (SECRET_TEXT, UNKNOWN_SHOWN)
        if step.type == workers_script.KIND.type and isinstance(name, str) and is_known:
            found[name] = str(code)
    return found


def _read_implementation(props: Props, code: Mapping[str, str]) -> Implementation:
    script = str(props.get("scriptName"))
    return Implementation(script, str(props.get("className")), code.get(script))


def list_classes(steps: Sequence[Step], *, new: bool = False) -> dict[str, tuple[str, ...]]:
    """List the Durable Object classes of each script by the script's name, sorted.

    Args:
        new: whether to list the classes of the program; otherwise those in state.
    """
    found: dict[str, set[str]] = {}
    for step in steps:
        props = (step.new if new else step.old) or {}
        if step.type == durable_object_migrations.KIND.type:
            name, classes = (
                props.get("script_name"),
                _list_classes_after(props.get("history") or ()),
            )
        elif step.type == workers_script.KIND.type:
            name, classes = props.get("scriptName"), _list_bound_classes(props)
        else:
            continue
        if isinstance(name, str):
            found.setdefault(name, set()).update(classes)
    return {name: tuple(sorted(classes)) for name, classes in found.items() if classes}


def _list_bound_classes(script: Props) -> set[str]:
    """List the classes that a script binds and implements itself."""
    bindings = script.get("bindings")
    return {
        binding["className"]
        for binding in (bindings if isinstance(bindings, list) else ())
        if binding.get("type") == _NAMESPACE
        and binding.get("scriptName") in (None, script.get("scriptName"))
        and isinstance(binding.get("className"), str)
    }


def _list_classes_after(history: Sequence[Props]) -> set[str]:
    """List the classes that exist after a history is applied."""
    classes: set[str] = set()
    for step in history:
        classes |= {*(step.get("new_sqlite_classes") or ()), *(step.get("new_classes") or ())}
        classes -= {*(step.get("deleted_classes") or ())}
        for renamed in step.get("renamed_classes") or ():
            classes = (classes - {renamed["from"]}) | {renamed["to"]}
        classes |= {moved["to"] for moved in step.get("transferred_classes") or ()}
    return classes
