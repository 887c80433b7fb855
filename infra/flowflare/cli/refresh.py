"""`flowflare refresh`: compare a stack's state with its account, so that `up` repairs drift."""

from typing import Any

from flowflare.cli.console import print_json, print_message, print_result, quote_program
from flowflare.cli.options import (
    DEFAULT_STACK,
    JsonOption,
    ProjectOption,
    StackOption,
    choose_project_root,
    make_stack_option,
)
from flowflare.cli.plan_text import dump_step
from flowflare.cli.progress import show_note
from flowflare.cli.stacks import make_ready, open_project_stack
from flowflare.config.files import read_project


def refresh(
    stack: StackOption = DEFAULT_STACK, cwd: ProjectOption = None, json: JsonOption = False
) -> None:
    """Compare a stack's state with its account, and mark differences in state.

    Changes nothing in the account. The next `up` creates missing resources and updates different
    ones; `flowflare up --refresh` does both.

    Examples:

      flowflare refresh --stack prod && flowflare preview --stack prod

      flowflare refresh --json | jq '.steps[] | select(.op != "same")'
    """
    project = read_project(choose_project_root(cwd), stack)
    opened = open_project_stack(project)
    make_ready(project)
    print_message(f"Comparing {project.name}/{stack} with its account")
    update = opened.refresh(show_note)
    found: list[dict[str, Any]] = [dump_step(step) for step in update.steps if step.custom]
    if json:
        print_json({"stack": stack, "changed": update.changed, "steps": found})
        return
    words = {"delete": "missing", "update": "differs"}
    for step in update.steps:
        if step.op in words:
            print_result(f"  {words[step.op]:<8} {step.name:<36} {step.note}".rstrip())
    if update.changed:
        print_result(f"\nNext:  {quote_program()} up{make_stack_option(stack)}")
    else:
        print_result(f"Nothing has drifted: {len(found)} resources match the account.")
