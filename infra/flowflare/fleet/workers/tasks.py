"""Define the tasks of a worker; each kind of task is one function of a `TaskContext`."""

import importlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from flowflare.errors import EngineError, LockedError
from flowflare.fleet.workers.context import TaskContext
from flowflare.values.events import Event

if TYPE_CHECKING:
    from flowflare.engine.contract import Stack

T = TypeVar("T")

_POLICIES: Final = "flowflare:policies"
#: Kinds of tasks: `module:function`. A function takes a `TaskContext` and returns JSON values.
KINDS: Final[dict[str, str]] = {
    "preview": "flowflare.fleet.workers.preview_task:preview",
    "up": "flowflare.fleet.workers.tasks:up",
    "destroy": "flowflare.fleet.workers.tasks:destroy",
    "outputs": "flowflare.fleet.workers.tasks:read_outputs",
    "drift": "flowflare.fleet.workers.drift_task:compare",
    "export": "flowflare.fleet.workers.export_task:export",
}
#: Kinds that write to an account or to state. They are only stopped between two calls.
WRITING: Final = frozenset({"up", "destroy"})


def perform(kind: str, context: TaskContext) -> Any:
    """Run a task.

    Returns:
        The task's result as JSON values.

    Raises:
        FlowflareError: the task failed.
    """
    if kind not in KINDS:
        raise EngineError(f"there is no task of the kind {kind!r}")
    module, _, function = KINDS[kind].partition(":")
    return getattr(importlib.import_module(module), function)(context)


def up(context: TaskContext) -> dict[str, Any]:
    """Run `up`, and return `{changed, steps: {op: count}, outputs}`.

    Secret outputs are `[secret]`; the option `show_secrets` decrypts them for the pool. The option
    `wait` is the number of seconds to wait while another run locks the stack, for example the last
    call of a killed run.
    """
    from flowflare.engine.foreign_scripts import refuse_foreign_scripts

    stack = context.open_stack()
    stack.make()
    _check_policies(context, stack)
    refuse_foreign_scripts(context.project, stack, context.environ, context.api)
    result = _summarize(_wait_for_lock(context, lambda: stack.up(context.on_event)))
    if context.options.get("show_secrets"):
        result["outputs"] = stack.outputs(show_secrets=True)
    return result


def destroy(context: TaskContext) -> dict[str, Any]:
    """Destroy a stack.

    The option `lose_data` names the protected resources to delete. `all` means every protected
    resource of the stack; the pool sends it only for tenants that the user has named. The option
    `exports` is the place with the exports of all databases, which must be current.
    """
    stack = context.open_stack()
    lose_data = context.options.get("lose_data", ())
    if lose_data == "all":
        lose_data = [resource.name for resource in stack.read().resources if resource.protect]
    if context.options.get("exports"):
        from flowflare.fleet.workers.export_task import require_current

        require_current(context, stack)
    lost = tuple(lose_data)
    return _summarize(
        _wait_for_lock(context, lambda: stack.destroy(context.on_event, lose_data=lost))
    )


def read_outputs(context: TaskContext) -> dict[str, Any]:
    """Read a stack's outputs; the option `show_secrets` decrypts secret outputs for the pool."""
    return context.open_stack().outputs(show_secrets=bool(context.options.get("show_secrets")))


def _check_policies(context: TaskContext, stack: "Stack") -> None:
    """Refuse an `up` that a policy forbids, as `up` of a single stack does."""
    if _POLICIES not in context.project.values:
        return
    from flowflare.review.changes import review
    from flowflare.review.policy.judge import judge, stop_on_errors

    plan = stack.preview()
    found = judge(context.project, plan, review(plan))
    for finding in found:
        if not finding.stops:
            context.on_event(Event("note", message=str(finding), severity="warning"))
    stop_on_errors(found)


def _wait_for_lock(context: TaskContext, do: Callable[[], T]) -> T:
    """Run a function that locks the stack; retry while the stack is locked, for `wait` seconds."""
    deadline = time.monotonic() + float(context.options.get("wait", 0))
    reported = ""
    while True:
        try:
            return do()
        except LockedError as error:
            if time.monotonic() >= deadline:
                raise
            if reported != error.message:
                reported = error.message
                context.on_event(Event("note", message=f"waits: {reported}"))
            context.pause(0.5)


def _summarize(update: Any) -> dict[str, Any]:
    counts: dict[str, int] = {}
    for step in update.steps:
        if step.custom:
            counts[step.op] = counts.get(step.op, 0) + 1
    return {"changed": update.changed, "steps": counts, "outputs": dict(update.outputs)}
