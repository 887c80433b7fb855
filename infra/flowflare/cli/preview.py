"""`flowflare preview`: says what `up` would do, and does nothing."""

from typing import TYPE_CHECKING, Annotated

import typer

from flowflare.cli.options import (
    DEFAULT_STACK,
    JsonOption,
    ProjectOption,
    StackOption,
    project_root,
    stack_words,
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
    """Say what `up` would do and at what risk; no call to Cloudflare is made.

    `flowflare schema plan` prints the JSON's schema.

    Examples:

      flowflare preview

      flowflare preview --diff

      flowflare preview --json | jq '.resources[] | select(.risk != "safe")'
    """
    from flowflare.cli.console import messages, print_json
    from flowflare.cli.policies import judged, refuse
    from flowflare.cli.progress import show_note
    from flowflare.cli.stacks import plan_of
    from flowflare.config.files import read_project
    from flowflare.review.changes import review
    from flowflare.review.document import make_document

    project = read_project(project_root(cwd), stack)
    with messages().status("Previewing") as status:
        plan = plan_of(project, status.update, show_note)
    reviewed = review(plan, diff=diff)
    found = judged(project, plan, reviewed)
    if json:
        print_json(make_document(reviewed, project=project.name, stack=stack, policy=found))
    else:
        _show(project, reviewed, found, diff)
    causes = [refusal.name for refusal in reviewed.refusals if refusal.kind != "skipped"]
    if causes:
        raise UpdateFailed(f"`up` would refuse {len(causes)} of it: {', '.join(causes)}")
    refuse(found)


def _show(
    project: "Project", review: "Review", found: "Sequence[PolicyFinding]", diff: bool
) -> None:
    from flowflare.cli.console import answers, command
    from flowflare.cli.plan_text import print_review, print_suspended
    from flowflare.cli.policies import print_findings
    from flowflare.review.text import summarise_review

    console = answers()
    console.print(f"Preview of {project.name}/{project.stack}", markup=False)
    print_suspended(project)
    print_review(review, created=diff)
    print_findings(found)
    following = f"{command()} up{stack_words(project.stack)}"
    lifted = any(entry.protection == "lifted" for entry in review.entries)
    if review.changed:
        stopped = review.refusals or any(one.stops for one in found)
        then = "" if stopped else f"  Next:  {following}"
        text = f"\nWould change: {summarise_review(review)}.{then}"
        console.print(text, markup=False)
    elif lifted:
        text = f"\nNothing would change but what is protected.  Next:  {following}"
        console.print(text, markup=False)
    elif not review.refusals:
        console.print("Nothing would change.")
