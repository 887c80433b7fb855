"""`flowflare preview`: show what `up` would do."""

import os
from pathlib import Path
from shlex import quote
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
    from flowflare.state.checkpoint import Resource
    from flowflare.values.events import Step

DiffOption = Annotated[
    bool,
    typer.Option("--diff", help="Compare code, SQL and nested properties line by line."),
]

OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Save the plan for `up --plan FILE`, and print its digest.",
        show_default=False,
    ),
]


def preview(
    stack: StackOption = DEFAULT_STACK,
    cwd: ProjectOption = None,
    diff: DiffOption = False,
    out: OutOption = None,
    json: JsonOption = False,
) -> None:
    """Show what `up` would do and at what risk, without a call to Cloudflare.

    With --out, the plan can be approved by its digest, and applied by `up --plan`.

    `flowflare schema plan` prints the JSON's schema.

    Examples:

      flowflare preview

      flowflare preview --diff

      flowflare preview --stack prod --out plan.json

      flowflare preview --json | jq '.resources[] | select(.risk != "safe")'
    """
    from flowflare.cli.console import open_stderr, print_json, print_message
    from flowflare.cli.policies import judge_plan, refuse
    from flowflare.cli.progress import show_note
    from flowflare.cli.saved_plans import PlanSaver
    from flowflare.cli.stacks import make_plan
    from flowflare.engine.deployed_project import read_deployed_project
    from flowflare.review.changes import review
    from flowflare.review.document import describe_plan

    project = read_deployed_project(choose_project_root(cwd), stack, os.environ)
    if not project.stack_file.exists():
        _show_deployed(project, json=json)
        return
    saver = PlanSaver(project) if out is not None else None
    with open_stderr().status("Previewing") as status:
        plan = make_plan(project, status.update, show_note, saver.observe if saver else None)
    reviewed = review(plan, diff=diff)
    found = judge_plan(project, plan, reviewed)
    document = describe_plan(reviewed, project=project.name, stack=stack, policy=found)
    stopped = bool(reviewed.refusals) or any(finding.stops for finding in found)
    digest = saver.write(out, document) if saver and out and not stopped else ""
    approved = f" --plan {quote(str(out))} --digest {digest}" if digest else ""
    if json:
        print_json(document.model_dump(mode="json"))
    else:
        _show(project, reviewed, found, approved, diff=diff, stopped=stopped)
    if digest:
        print_message(f"Saved the plan to {out}, {digest}")
    causes = [refusal.name for refusal in reviewed.refusals if refusal.kind != "skipped"]
    if causes:
        raise UpdateFailed(f"`up` would refuse {len(causes)} resources: {', '.join(causes)}")
    refuse(found)


def _show_deployed(project: "Project", *, json: bool) -> None:
    """Show what stays of a stack without a file, for which no `up` can run."""
    from flowflare.cli.console import print_json, print_result, quote_program
    from flowflare.cli.stacks import open_project_stack
    from flowflare.review.changes import review
    from flowflare.review.document import make_document
    from flowflare.values.events import Plan

    kept = review(Plan(tuple(map(_keep, open_project_stack(project).read().resources))))
    if json:
        print_json(make_document(kept, project=project.name, stack=project.stack))
        return
    print_result(
        f"{project.stack_file.name} is missing, so no `up` of stack {project.stack} can run. Its "
        f"{len(kept.entries)} resources stay as they are:"
    )
    for entry in kept.entries:
        print_result(f"  {entry.name:<36} {entry.kind}")
    command = f"{quote_program()} destroy{make_stack_option(project.stack)} --preview"
    print_result(f"\nTo deploy it again, put the file back. To delete it:  {command}")


def _keep(record: "Resource") -> "Step":
    from flowflare.state.checkpoint import PROVIDER_PREFIX
    from flowflare.values.events import Step

    is_resource = record.custom and not record.type.startswith(PROVIDER_PREFIX)
    return Step("same", record.urn, record.type, record.name, is_resource)


def _show(
    project: "Project",
    review: "Review",
    found: "Sequence[PolicyFinding]",
    approved: str,
    *,
    diff: bool,
    stopped: bool,
) -> None:
    from flowflare.cli.console import print_result, quote_program
    from flowflare.cli.plan_text import print_review, print_suspended
    from flowflare.cli.policies import print_findings
    from flowflare.review.text import summarise_review

    print_result(f"Preview of {project.name}/{project.stack}")
    print_suspended(project)
    print_review(review, created=diff)
    print_findings(found)
    next_command = f"{quote_program()} up{make_stack_option(project.stack)}{approved}"
    lifted = any(entry.protection == "lifted" for entry in review.entries)
    if review.changed:
        hint = "" if stopped else f"  Next:  {next_command}"
        text = f"\nWould change: {summarise_review(review)}.{hint}"
        print_result(text)
    elif lifted:
        text = f"\nOnly the protection would change.  Next:  {next_command}"
        print_result(text)
    elif not review.refusals:
        print_result("Nothing would change.")
