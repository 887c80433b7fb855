"""Says what an operation on a resource means for running objects and for data.

Facts about Cloudflare, each with where it is from:
- uploading a script restarts the Durable Objects that it implements
  (developers.cloudflare.com/durable-objects/platform/known-issues, code updates);
- a D1 database, a namespace of objects and a Workflow's instances go with what they belong to
  (API reference of D1, Workers and Workflows: delete);
- a script of another name has namespaces of its own, which begin empty
  (developers.cloudflare.com/durable-objects/reference/durable-objects-migrations).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flowflare.render.packages import NOT_COMPARED
from flowflare.review.classes import implemented, steps_to_send
from flowflare.review.entries import RISKS, ClassStep, Reason
from flowflare.review.migrations import files_to_run
from flowflare.values.events import Step

# Other things of Cloudflare's that hold data, and what is in them.
_STORES: Final = {
    "R2Bucket": "its objects",
    "WorkersKvNamespace": "its keys",
    "Queue": "the messages that wait in it",
    "D1Database": "everything in it",
}


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
        begins = any(one.op == "create" and one.type.endswith(":ApiKey") for one in steps)
        return cls(implemented(steps), implemented(steps, new=True), begins)


def assess(step: Step, around: Surroundings) -> tuple[Reason, ...]:
    """The sentences about a step, worst first; none for one that needs no word.

    Args:
        step: the step.
        around: the plan that it is a step of.
    """
    kind = step.type.rpartition(":")[2]
    rule = _RULES.get(kind, _store if kind in _STORES else None)
    found = list(rule(step, around)) if rule is not None and step.op != "same" else []
    found += _of_protection(step)
    return tuple(sorted(found, key=lambda one: RISKS.index(one.risk)))


def _of_protection(step: Step) -> Iterator[Reason]:
    if not step.protected or step.protect or step.op == "delete":
        return
    if step.op == "replace":
        yield _safe("Its protection is lifted by this `up`, which also replaces it.")
    else:
        yield _safe(
            "Its protection is lifted by this `up`; the next one may delete it. Take it out of "
            "flowflare:allowDataLoss again if nothing is to be lost."
        )


def _script(step: Step, around: Surroundings) -> Iterator[Reason]:
    yield from _not_compared(step)
    old, new = _text(step.old, "scriptName"), _text(step.new, "scriptName")
    had = ", ".join(around.old.get(old, ()))
    if step.op == "update" and had:
        yield _restart(had)
    elif step.op == "replace" and had:
        yield _loss(
            f"`{new}` begins with empty namespaces; the objects of {had} are deleted with `{old}`."
        )
    elif step.op == "replace":
        yield _safe(f"The Worker `{old}` goes and `{new}` comes, at another address.")
    elif step.op == "delete" and had:
        yield _loss(f"The objects of {had} are deleted with the script `{old}`.")
    elif step.op == "delete":
        yield _safe(f"The Worker `{old}` stops answering.")


def _not_compared(step: Step) -> Iterator[Reason]:
    """Packages of the commit's own that differ and are not in the code that is compared."""
    if step.op == "delete":
        return
    old, new = (
        {
            line.removeprefix(NOT_COMPARED).partition(",")[0]: line
            for line in _text(props, "content").splitlines()
            if line.startswith(NOT_COMPARED)
        }
        for props in (step.old, step.new)
    )
    for package in sorted(old.keys() | new.keys()):
        if old.get(package) != new.get(package):
            name, _, folder = package.partition(" in ")
            yield Reason(
                risk="unknown",
                text=f"The package `{name}` in `{folder}` is not compared: it cannot be bundled "
                "from the commit, for example because it is built first.",
            )


def _history(step: Step, around: Surroundings) -> Iterator[Reason]:
    name = _text(step.new, "script_name") or _text(step.old, "script_name")
    if step.op == "replace":
        old = _text(step.old, "script_name")
        had = ", ".join(around.old.get(old, ())) or "its classes"
        yield _loss(f"`{name}` begins with empty namespaces: the objects of {had} stay behind.")
        return
    for one in steps_to_send(step):
        yield from _class_step(one)
    had = ", ".join(around.old.get(name, ()))
    if step.op == "update" and had:
        yield _restart(had)


def _class_step(one: ClassStep) -> Iterator[Reason]:
    if one.deleted_classes:
        gone = ", ".join(one.deleted_classes)
        yield _loss(f"Class migration `{one.tag}` deletes {gone} with all its objects' data.")
    for moved in one.transferred_classes:
        yield _loss(
            f"Class migration `{one.tag}` moves {moved}: the objects leave the other script, and "
            "only another step brings them back."
        )


def _database(step: Step, around: Surroundings) -> Iterator[Reason]:
    del around
    old, new = _text(step.old, "name"), _text(step.new, "name")
    if step.op == "replace" and old == new:
        yield _loss(f"`{old}` is deleted with everything in it and made anew, empty.")
    elif step.op == "replace":
        yield _loss(f"`{new}` is a new, empty database; `{old}` is deleted with everything in it.")
    elif step.op == "delete":
        yield _loss(f"The database `{old}` is deleted with everything in it.")


def _migrations(step: Step, around: Surroundings) -> Iterator[Reason]:
    del around
    for file in files_to_run(step):
        for found in file.findings:
            if found.rule in LOSING_RULES:
                yield _loss(f"{file.name}:{found.line} {found.message}")


#: Rules of the migration linter whose findings are about data that a file would lose.
LOSING_RULES: Final = frozenset(
    {"delete-all", "drop-cascades", "drop-column", "drop-table", "replace-cascades"}
)


def _workflow(step: Step, around: Surroundings) -> Iterator[Reason]:
    del around
    old = _text(step.old, "workflowName")
    if step.op in ("replace", "delete"):
        yield _loss(f"The Workflow `{old}` is deleted with its instances; those that run end.")


def _api_key(step: Step, around: Surroundings) -> Iterator[Reason]:
    if step.op in ("replace", "delete"):
        yield _safe("Whoever still calls the service with this key is refused.")
    if step.op == "delete" and around.another_key:
        yield _safe(
            "Another key begins in this same `up`: until each client has it, its calls are "
            "refused. Nobody is interrupted by: flowflare secrets rotate"
        )


def _bindings(step: Step, around: Surroundings) -> Iterator[Reason]:
    had = ", ".join(around.old.get(_text(step.old, "script_name"), ()))
    if step.op == "update" and had:
        yield _restart(had)


def _store(step: Step, around: Surroundings) -> Iterator[Reason]:
    del around
    inside = _STORES[step.type.rpartition(":")[2]]
    if step.op == "replace":
        yield _loss(f"A new one is made, empty; the old one is deleted with {inside}.")
    elif step.op == "delete":
        yield _loss(f"It is deleted with {inside}.")


def _crons(step: Step, around: Surroundings) -> Iterator[Reason]:
    del around
    schedules = (step.old or {}).get("schedules")
    if step.op == "delete" and isinstance(schedules, list):
        ended = [f"`{one.get('cron')}`" for one in schedules if isinstance(one, Mapping)]
        if ended:
            yield _safe(f"These cron triggers end: {', '.join(ended)}.")


def _route(step: Step, around: Surroundings) -> Iterator[Reason]:
    del around
    if step.op == "delete":
        yield _safe(f"Requests to `{_text(step.old, 'pattern')}` no longer reach the Worker.")


def _domain(step: Step, around: Surroundings) -> Iterator[Reason]:
    del around
    if step.op == "delete":
        yield _safe(f"Requests to `{_text(step.old, 'hostname')}` no longer reach the Worker.")


_RULES: Final[Mapping[str, Callable[[Step, Surroundings], Iterator[Reason]]]] = {
    "WorkersScript": _script,
    "DurableObjectMigrations": _history,
    "D1Database": _database,
    "D1Migrations": _migrations,
    "Workflow": _workflow,
    "ApiKey": _api_key,
    "ScriptBindings": _bindings,
    "WorkersCronTrigger": _crons,
    "WorkersRoute": _route,
    "WorkersCustomDomain": _domain,
}


def _text(props: Mapping[str, Any] | None, key: str) -> str:
    return str((props or {}).get(key) or "")


def _loss(text: str) -> Reason:
    return Reason(risk="loses-data", text=text)


def _restart(classes: str) -> Reason:
    text = (
        f"The upload restarts the Durable Objects of {classes}: open connections and what they "
        "hold in memory end, their storage stays."
    )
    return Reason(risk="restarts", text=text)


def _safe(text: str) -> Reason:
    return Reason(risk="safe", text=text)
