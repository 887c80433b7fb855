"""`flowflare destroy`: delete a stack's resources, in the order of their dependencies."""

import os
import sys
from shlex import join, quote
from typing import Annotated

import typer

from flowflare.cli.console import print_message, print_result
from flowflare.cli.options import (
    DEFAULT_STACK,
    ProjectOption,
    StackOption,
    YesOption,
    choose_project_root,
)
from flowflare.cli.plan_text import print_review, summarise_steps
from flowflare.cli.progress import show_progress
from flowflare.cli.stacks import make_ready, open_project_stack
from flowflare.engine.contract import Stack
from flowflare.engine.deployed_project import read_deployed_project
from flowflare.errors import FlowflareError, ProtectedError
from flowflare.review.changes import review
from flowflare.review.text import summarise_review

LoseDataOption = Annotated[
    list[str] | None,
    typer.Option(
        "--lose-data",
        metavar="NAME...",
        help="Delete these resources and their data although they are protected.",
    ),
]
MoreNames = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME", help="More names of --lose-data."),
]
PreviewOption = Annotated[
    bool, typer.Option("--preview", help="Show what would be deleted, and delete nothing.")
]


def destroy(
    stack: StackOption = DEFAULT_STACK,
    cwd: ProjectOption = None,
    yes: YesOption = False,
    lose_data: LoseDataOption = None,
    names: MoreNames = None,
    preview: PreviewOption = False,
) -> None:
    """Destroy a stack's resources, including the database with all runs.

    Asks for the stack's name, unless --yes is given. If a resource is protected and --lose-data
    does not name it, nothing is deleted, even with --yes. Works without the stack's file, from the
    state.

    Examples:

      flowflare destroy --stack local

      flowflare destroy --stack dev --lose-data flowflare-service-database flowflare-service-script
    """
    project = read_deployed_project(choose_project_root(cwd), stack, os.environ)
    lost = [*(lose_data or ()), *(names or ())]
    if names and not lose_data:
        raise typer.BadParameter(f"{names[0]!r} is not an option; names come after --lose-data")
    run = open_project_stack(project)
    if preview:
        _preview(run, stack, lost)
        return
    if not yes:
        _ask(stack)
    if run.is_empty():
        print_result(f"Stack {stack} has no resources.")
        return
    make_ready(project)
    print_message(f"Destroying {project.name}/{stack}")
    with show_progress("Working") as on_event:
        update = run.destroy(on_event, lose_data=lost)
    seconds = f"{update.seconds:.1f} s"
    print_result(f"\nDone in {seconds}: {summarise_steps(update.steps)}.")


def _preview(run: Stack, stack: str, lost: list[str]) -> None:
    reviewed = review(run.plan_destroy(lose_data=lost))
    print_review(reviewed)
    print_result(f"\nWould change: {summarise_review(reviewed)}.")
    names = sorted(
        {*lost, *(refusal.name for refusal in reviewed.refusals if refusal.kind == "protected")}
    )
    if reviewed.refusals:
        raise ProtectedError(
            f"`destroy` would be refused: {len(reviewed.refusals)} resources are protected",
            remedy="To delete them with their data, name them: "
            f"flowflare destroy --stack {quote(stack)} --lose-data {join(names)}",
        )


def _ask(stack: str) -> None:
    if not sys.stdin.isatty():
        raise FlowflareError(
            f"destroying stack {stack} deletes its database and must be confirmed",
            remedy=f"Run: flowflare destroy --stack {quote(stack)} --yes",
        )
    question = f"This deletes the database of stack {stack} with all runs. Type the stack's name"
    if typer.prompt(question, err=True) != stack:
        raise FlowflareError("that is not the stack's name; nothing was destroyed")
