"""Decide whether an `up` may begin: by a saved plan, an answer on the terminal, or `--yes`."""

import secrets
import sys
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from flowflare.errors import FlowflareError

if TYPE_CHECKING:
    from flowflare.config.files import Project
    from flowflare.engine.choice import Choice
    from flowflare.engine.plan_facts import CheckState

PlanOption = Annotated[
    Path | None,
    typer.Option(
        "--plan",
        metavar="FILE",
        help="Apply the plan of `preview --out FILE`; refuse if anything moved since.",
        show_default=False,
    ),
]
DigestOption = Annotated[
    str | None,
    typer.Option(
        "--digest",
        metavar="SHA256",
        help="Refuse a --plan file with another digest than the approved one.",
        show_default=False,
    ),
]


def approve(
    project: "Project", choice: "Choice", *, yes: bool, plan: Path | None, digest: str | None
) -> "CheckState | None":
    """Make sure that an `up` may begin.

    A stack of the embedded engine without protection needs no approval.

    Args:
        yes: whether `--yes` was given.

    Returns:
        A function that refuses a state that has changed since the plan; None without a plan.

    Raises:
        FlowflareError: the approval is missing, or the saved plan cannot be applied.
    """
    from flowflare.cli.console import print_message
    from flowflare.cli.local import is_running
    from flowflare.cli.policies import check_policies, has_policies
    from flowflare.cli.stacks import make_plan, open_project_stack
    from flowflare.config.engine import engine_of

    if digest is not None and plan is None:
        raise typer.BadParameter("--digest is the digest of a --plan file")
    if plan is not None:
        from flowflare.cli.saved_plans import check_saved_plan

        return check_saved_plan(project, plan, digest)
    if not yes and _is_guarded(project):
        open_project_stack(project)  # an engine that is missing is the first problem
        return _ask(project, choice)
    if has_policies(project) or (engine_of(project).needs_emulator and not is_running(project)):
        # Errors of the configuration or program are reported before anything starts.
        check_policies(project, make_plan(project, print_message))
    return None


def _is_guarded(project: "Project") -> bool:
    from flowflare.config.engine import engine_of

    protect = project.values.get("flowflare:protect")
    is_free = protect is not None and protect.text == "false"
    return not (is_free and engine_of(project).needs_emulator)


def _ask(project: "Project", choice: "Choice") -> "CheckState":
    """Show the plan and ask; the run then requires the state that the plan is based on."""
    from flowflare.cli.console import open_stderr, print_result
    from flowflare.cli.plan_text import print_review
    from flowflare.cli.policies import check_policies
    from flowflare.cli.progress import show_note
    from flowflare.cli.saved_plans import hold_to, plan_with_facts
    from flowflare.engine.plan_facts import Digests
    from flowflare.review.changes import review
    from flowflare.review.text import summarise_review

    if not sys.stdin.isatty():
        raise FlowflareError(
            f"up of stack {project.stack} must be approved, and there is no terminal to ask on",
            remedy=f"Run: flowflare up --stack {quote(project.stack)} --yes, or save a plan with "
            f"flowflare preview --stack {quote(project.stack)} --out plan.json and apply it with "
            "--plan plan.json",
        )
    digests = Digests(secrets.token_bytes(32))
    with open_stderr().status("Previewing") as status:
        plan, facts = plan_with_facts(project, digests, status.update, show_note)
    check_policies(project, plan)
    steps = (step for step in plan.steps if step.op == "same" or choice.includes(step.urn))
    reviewed = review(replace(plan, steps=tuple(steps)))
    print_review(reviewed)
    if choice.refresh or choice.replaced:
        print_result("--refresh and --replace may change more than this plan says.")
    if reviewed.changed or choice.refresh or choice.replaced:
        print_result(f"\nWould change: {summarise_review(reviewed)}.")
        question = f"Apply this plan to {project.name}/{project.stack}?"
        if not typer.confirm(question, err=True):
            raise FlowflareError("the plan was not approved; nothing was changed")
    return hold_to(project, facts, digests)
