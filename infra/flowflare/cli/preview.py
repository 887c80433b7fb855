"""`flowflare preview`: show what `up` would do."""

from typing import TYPE_CHECKING, Annotated

import typer

from flowflare.cli.options import (
    DEFAULT_STACK,
    JsonOption,
    ProjectOption,
    StackOption,
    choose_project_root,
    make_stack_option,
)
from flowflare.errors import UpdateFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowflare.config.files import Project
    from flowflare.review.entries import Review
    from flowflare.review.policy.findings import PolicyFinding

DiffOption = Annotated[
    bool,
    typer.Option("--diff", help="Compare code, SQL and nested properties line by line."),
]


def preview(
    stack: StackOption = DEFAULT_STACK,
    cwd: ProjectOption = None,
    diff: DiffOption = False,
    json: JsonOption = False,
) -> None:
    """Show what `up` would do and at what risk, without a call to Cloudflare.

    `flowflare schema plan` prints the JSON's schema.

    Examples:

      flowflare preview

      flowflare preview --diff

      flowflare preview --json | jq '.resources[] | select(.risk != "safe")'
    """
    from flowflare.cli.console import open_stderr, print_json
    from flowflare.cli.policies import judge_plan, refuse
    from flowflare.cli.progress import show_note
    from flowflare.cli.stacks import make_plan
    from flowflare.config.files import read_project
    from flowflare.review.changes import review
    from flowflare.review.document import make_document

    project = read_project(choose_project_root(cwd), stack)
    with open_stderr().status("Previewing") as status:
        plan = make_plan(project, status.update, show_note)
    reviewed = review(plan, diff=diff)
    found = judge_plan(project, plan, reviewed)
    if json:
        print_json(make_document(reviewed, project=project.name, stack=stack, policy=found))
    else:
        _show(project, reviewed, found, diff)
    causes = [refusal.name for refusal in reviewed.refusals if refusal.kind != "skipped"]
    if causes:
        raise UpdateFailed(f"`up` would refuse {len(causes)} resources: {', '.join(causes)}")
    refuse(found)


def _show(
    project: "Project", review: "Review", found: "Sequence[PolicyFinding]", diff: bool
) -> None:
    from flowflare.cli.console import print_result, quote_program
    from flowflare.cli.plan_text import print_review, print_suspended
    from flowflare.cli.policies import print_findings
    from flowflare.review.text import summarise_review

    print_result(f"Preview of {project.name}/{project.stack}")
    print_suspended(project)
    print_review(review, created=diff)
    print_findings(found)
    next_command = f"{quote_program()} up{make_stack_option(project.stack)}"
    lifted = any(entry.protection == "lifted" for entry in review.entries)
    if review.changed:
        stopped = review.refusals or any(finding.stops for finding in found)
        hint = "" if stopped else f"  Next:  {next_command}"
        text = f"\nWould change: {summarise_review(review)}.{hint}"
        print_result(text)
    elif lifted:
        text = f"\nOnly the protection would change.  Next:  {next_command}"
        print_result(text)
    elif not review.refusals:
        print_result("Nothing would change.")
