"""`flowflare up`: deploy a stack as its program and configuration say."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flowflare.cli.approval import DigestOption, PlanOption, approve
from flowflare.cli.choice import RefreshOption, ReplaceOption, TargetOption, choose_resources
from flowflare.cli.options import (
    DEFAULT_STACK,
    JsonOption,
    ProjectOption,
    StackOption,
    YesOption,
    choose_project_root,
    make_stack_option,
)

if TYPE_CHECKING:
    from flowflare.values.events import Update


def up(  # noqa: PLR0913, PLR0917 -- options
    stack: StackOption = DEFAULT_STACK,
    cwd: ProjectOption = None,
    yes: YesOption = False,
    plan: PlanOption = None,
    digest: DigestOption = None,
    refresh: RefreshOption = False,
    target: TargetOption = None,
    replace: ReplaceOption = None,
    json: JsonOption = False,
) -> None:
    """Create or update a stack, on the embedded Cloudflare or with the Pulumi CLI in an account.

    Shows the plan and asks, unless --yes or --plan is given. A stack of the embedded engine without
    protection is not asked about. Starts the embedded Cloudflare unless it runs. Does not touch
    resources that are up to date. After a crash, run the same command again: it finds and reuses
    what was created.

    Examples:

      flowflare up

      flowflare up --stack local --json

      flowflare up --stack prod --plan plan.json --digest sha256:...

      flowflare up --refresh --target orders-script
    """
    from flowflare.cli.console import print_json, print_message
    from flowflare.cli.plan_text import print_suspended
    from flowflare.cli.progress import show_progress
    from flowflare.cli.stacks import make_ready, open_project_stack
    from flowflare.config.engine import engine_of
    from flowflare.config.files import read_project
    from flowflare.engine.foreign_scripts import refuse_foreign_scripts

    project = read_project(choose_project_root(cwd), stack)
    run, is_local = open_project_stack(project), engine_of(project).needs_emulator
    choice = choose_resources(project, plan, refresh=refresh, targets=target, replaced=replace)
    check_state = approve(project, choice, yes=yes, plan=plan, digest=digest)
    make_ready(project)
    refuse_foreign_scripts(project, run, os.environ)
    print_message(f"Updating {project.name}/{stack}")
    with show_progress("Working") as on_event:
        update = run.up(on_event, check_state=check_state, choice=choice)
    if json:
        print_json(_dump_update(stack, update))
    else:
        print_suspended(project)
        has_example = "orders" in (update.outputs.get("client_urls") or {})
        _show(update, stack, "order" if is_local and has_example else "outputs")


def _dump_update(stack: str, update: "Update") -> dict[str, Any]:
    from flowflare.cli.plan_text import dump_step

    return {
        "stack": stack,
        "changed": update.changed,
        "seconds": round(update.seconds, 3),
        "steps": [dump_step(step) for step in update.steps],
        "outputs": dict(update.outputs),
    }


def _show(update: "Update", stack: str, next_command: str) -> None:
    from flowflare.cli.console import print_result, quote_program
    from flowflare.cli.plan_text import print_meaning, summarise_steps

    if update.changed:
        print_result(f"\nDone in {update.seconds:.1f} s: {summarise_steps(update.steps)}.")
        print_meaning(update)
    else:
        total = sum(step.custom for step in update.steps)
        print_result(f"Nothing changed: all {total} resources are up to date.")
    if urls := _list_urls(update.outputs):
        print_result("\nWorkers")
    for name, url in urls:
        print_result(f"  {name:<36} {url}")
    print_result(f"\nNext:  {quote_program()} {next_command}{make_stack_option(stack)}")


def _list_urls(outputs: Mapping[str, Any]) -> list[tuple[str, str]]:
    clients: Mapping[str, str] = outputs.get("client_urls") or {}
    urls = [("service", outputs.get("service_url")), *sorted(clients.items())]
    return [(name, url) for name, url in urls if url]
