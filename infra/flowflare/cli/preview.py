"""`flowflare preview`: says what `up` would do, and does nothing."""

from flowflare.cli.options import (
    DEFAULT_STACK,
    JsonOption,
    ProjectOption,
    StackOption,
    project_root,
)


def preview(
    stack: StackOption = DEFAULT_STACK, cwd: ProjectOption = None, json: JsonOption = False
) -> None:
    """Say what `up` would do; no call to Cloudflare is made.

    Examples:

      flowflare preview

      flowflare preview --json | jq .changed
    """
    from flowflare.cli.console import answers, messages, print_json
    from flowflare.cli.local import require_embedded
    from flowflare.cli.plan_text import WORDS, plan_lines, step_json, summary
    from flowflare.cli.progress import COLORS
    from flowflare.config.files import read_project
    from flowflare.engine import open_stack

    project = read_project(project_root(cwd), stack)
    require_embedded(project, "preview")
    with messages().status("Previewing"):
        plan = open_stack(project.root, stack).preview()
    if json:
        failures = [{"name": item.name, "reason": item.reason} for item in plan.failures]
        print_json(
            {
                "stack": stack,
                "changed": plan.changed,
                "steps": [step_json(step) for step in plan.steps],
                "failures": failures,
                "outputs": dict(plan.outputs),
            }
        )
        return
    console = answers()
    console.print(f"Preview of {project.name}/{stack}", markup=False)
    for op, line in plan_lines(plan):
        console.print(line, style=COLORS[op], markup=False)
    if plan.changed:
        console.print(f"\nWould change: {summary(plan.steps, WORDS)}.  Next:  flowflare up")
    else:
        console.print("Nothing would change.")
