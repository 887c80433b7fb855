"""`flowflare preview`: says what `up` would do, and does nothing."""

from typing import TYPE_CHECKING, Any

from flowflare.cli.options import (
    DEFAULT_STACK,
    JsonOption,
    ProjectOption,
    StackOption,
    project_root,
)
from flowflare.errors import UpdateFailed

if TYPE_CHECKING:
    from flowflare.engine import Plan


def preview(
    stack: StackOption = DEFAULT_STACK, cwd: ProjectOption = None, json: JsonOption = False
) -> None:
    """Say what `up` would do; no call to Cloudflare is made.

    Examples:

      flowflare preview

      flowflare preview --json | jq .changed
    """
    from flowflare.cli.console import messages, print_json
    from flowflare.cli.local import require_embedded
    from flowflare.config.files import read_project
    from flowflare.engine import open_stack
    from flowflare.render.node import ensure_node_packages

    project = read_project(project_root(cwd), stack)
    require_embedded(project, "preview")
    with messages().status("Previewing") as status:
        ensure_node_packages(status.update, root=project.root)
        plan = open_stack(project.root, stack).preview()
    if json:
        print_json(_as_json(stack, plan))
    else:
        _show(project.name, stack, plan)
    if plan.failures:
        names = ", ".join(failure.name for failure in plan.failures)
        raise UpdateFailed(f"`up` would refuse {len(plan.failures)} of it: {names}")


def _as_json(stack: str, plan: "Plan") -> dict[str, Any]:
    from flowflare.cli.plan_text import step_json

    return {
        "stack": stack,
        "changed": plan.changed,
        "steps": [step_json(step) for step in plan.steps],
        "failures": [{"name": item.name, "reason": item.reason} for item in plan.failures],
        "outputs": dict(plan.outputs),
    }


def _show(project: str, stack: str, plan: "Plan") -> None:
    from flowflare.cli.console import answers, command
    from flowflare.cli.plan_text import TO_DO, plan_lines, summary
    from flowflare.cli.progress import COLORS

    console = answers()
    console.print(f"Preview of {project}/{stack}", markup=False)
    for op, line in plan_lines(plan):
        console.print(line, style=COLORS[op], markup=False)
    if plan.changed:
        console.print(f"\nWould change: {summary(plan.steps, TO_DO)}.  Next:  {command()} up")
    elif not plan.failures:
        console.print("Nothing would change.")
