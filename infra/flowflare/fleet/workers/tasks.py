"""What a worker can be asked to do with a stack; each kind is one function of a scene."""

import importlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from flowflare.errors import EngineError, LockedError
from flowflare.fleet.workers.scene import Scene
from flowflare.values.events import Event

if TYPE_CHECKING:
    from flowflare.engine.contract import Stack

T = TypeVar("T")

_POLICIES: Final = "flowflare:policies"
#: Kinds of tasks: `module:function`. A function takes the scene and returns JSON values.
KINDS: Final[dict[str, str]] = {
    "preview": "flowflare.fleet.workers.preview_task:preview",
    "up": "flowflare.fleet.workers.tasks:up",
    "destroy": "flowflare.fleet.workers.tasks:destroy",
    "outputs": "flowflare.fleet.workers.tasks:outputs",
    "drift": "flowflare.fleet.workers.drift_task:drift",
    "export": "flowflare.fleet.workers.export_task:export",
}
#: Those that write to an account or to state, and are stopped between two calls only.
WRITING: Final = frozenset({"up", "destroy"})


def perform(kind: str, scene: Scene) -> Any:
    """Does a task.

    Args:
        kind: what.
        scene: with which stack.

    Returns:
        What it came to, JSON values.

    Raises:
        FlowflareError: it failed.
    """
    if kind not in KINDS:
        raise EngineError(f"there is no task {kind!r}")
    module, _, function = KINDS[kind].partition(":")
    return getattr(importlib.import_module(module), function)(scene)


def up(scene: Scene) -> dict[str, Any]:
    """Brings a stack up: `{changed, steps: {op: count}, outputs}`.

    Secrets read `[secret]`; `show_secrets` opens them, for the pool's own use. `wait` is for how
    many seconds another run's hold on the stack is waited for, such as a killed one's last call.
    """
    stack = scene.opened()
    stack.make()
    _check_policies(scene, stack)
    told = _told(_let_in(scene, lambda: stack.up(scene.tell)))
    if scene.options.get("show_secrets"):
        told["outputs"] = stack.outputs(show_secrets=True)
    return told


def destroy(scene: Scene) -> dict[str, Any]:
    """Destroys a stack; `lose_data` names what is deleted although it is protected.

    `all` stands for whatever in this stack is; who asks for it has been given the tenant's name.
    `exports` says where an export of every database is; it must have the rows that there are now.
    """
    stack = scene.opened()
    lose_data = scene.options.get("lose_data", ())
    if lose_data == "all":
        lose_data = [one.name for one in stack.read().resources if one.protect]
    if scene.options.get("exports"):
        from flowflare.fleet.workers.export_task import require_current

        require_current(scene, stack)
    lost = tuple(lose_data)
    return _told(_let_in(scene, lambda: stack.destroy(scene.tell, lose_data=lost)))


def outputs(scene: Scene) -> dict[str, Any]:
    """A stack's outputs; `show_secrets` opens the secret ones, for the pool's own use."""
    return scene.opened().outputs(show_secrets=bool(scene.options.get("show_secrets")))


def _check_policies(scene: Scene, stack: "Stack") -> None:
    """Stops an `up` that a policy's error stands against, as it stops one of a single stack."""
    if _POLICIES not in scene.project.values:
        return
    from datetime import UTC, datetime

    from flowflare.review.changes import review
    from flowflare.review.policy.judge import judge, stop_on_errors

    plan = stack.preview()
    found = judge(scene.project, plan, review(plan), datetime.now(UTC).date())
    for one in found:
        if not one.stops:
            scene.tell(Event("note", message=str(one), severity="warning"))
    stop_on_errors(found)


def _let_in(scene: Scene, do: Callable[[], T]) -> T:
    """Does what takes the stack's lock, again while another run holds it and `wait` is not over."""
    deadline = time.monotonic() + float(scene.options.get("wait", 0))
    told = ""
    while True:
        try:
            return do()
        except LockedError as error:
            if time.monotonic() >= deadline:
                raise
            if told != error.message:
                told = error.message
                scene.tell(Event("note", message=f"waits: {told}"))
            scene.pause(0.5)


def _told(update: Any) -> dict[str, Any]:
    counts: dict[str, int] = {}
    for step in update.steps:
        if step.custom:
            counts[step.op] = counts.get(step.op, 0) + 1
    return {"changed": update.changed, "steps": counts, "outputs": dict(update.outputs)}
