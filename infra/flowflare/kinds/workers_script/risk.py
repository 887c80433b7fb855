"""Assess operations on a script: Durable Objects, address and packages.

A script of another name has new, empty namespaces
(developers.cloudflare.com/durable-objects/reference/durable-objects-migrations).
"""

from collections.abc import Iterator

from flowflare.kinds.assessment import Reason, is_safe, loses_data, restarts, text_of
from flowflare.kinds.surroundings import Surroundings
from flowflare.kinds.workflow.replays import assess_replays
from flowflare.model.worker import NOT_COMPARED
from flowflare.values.events import Step

#: The ends of files that list packages; other places are folders.
_LISTS = (".json", ".yaml", ".lock")


def assess(step: Step, around: Surroundings) -> Iterator[Reason]:
    """Yield the reasons for the risk of a step, in any order."""
    yield from _list_packages_not_compared(step)
    for kept in around.workflows if step.op == "update" else ():
        if kept.is_same and kept.new.script == text_of(step.new, "scriptName"):
            yield from assess_replays(kept)
    old, new = text_of(step.old, "scriptName"), text_of(step.new, "scriptName")
    had = ", ".join(around.old.get(old, ()))
    if step.op == "update" and had:
        yield restarts(had)
    elif step.op == "replace" and had:
        yield loses_data(
            f"`{new}` begins with empty namespaces; the objects of {had} are deleted with `{old}`."
        )
    elif step.op == "replace":
        yield is_safe(f"The Worker `{old}` goes and `{new}` comes, at another address.")
    elif step.op == "delete" and had:
        yield loses_data(f"The objects of {had} are deleted with the script `{old}`.")
    elif step.op == "delete":
        yield is_safe(f"The Worker `{old}` stops answering.")


def _list_packages_not_compared(step: Step) -> Iterator[Reason]:
    """Yield the changed packages that are not in the compared code."""
    if step.op == "delete":
        return
    old, new = (
        {
            line.removeprefix(NOT_COMPARED).partition(",")[0]: line
            for line in text_of(props, "content").splitlines()
            if line.startswith(NOT_COMPARED)
        }
        for props in (step.old, step.new)
    )
    for package in sorted(old.keys() | new.keys()):
        if old.get(package) != new.get(package):
            name, _, place = package.partition(" in ")
            text = (
                f"The package `{name}` of `{place}` is not compared: it could not be installed."
                if place.endswith(_LISTS)
                else f"The package `{name}` in `{place}` is not compared: it cannot be bundled "
                "from the commit, for example because it is built first."
            )
            yield Reason(risk="unknown", text=text)
