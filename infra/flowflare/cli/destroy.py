"""`flowflare destroy`: takes a stack's resources away, in the right order."""

import sys

from flowflare.cli.options import (
    DEFAULT_STACK,
    ProjectOption,
    StackOption,
    YesOption,
    project_root,
)
from flowflare.errors import FlowflareError


def destroy(
    stack: StackOption = DEFAULT_STACK, cwd: ProjectOption = None, yes: YesOption = False
) -> None:
    """Destroy a stack's resources, its database with all runs included.

    Asks for the stack's name, unless --yes is given. Protected resources stay and are named.

    Example: flowflare destroy --stack local
    """
    from flowflare.cli.console import answers, messages
    from flowflare.cli.local import ensure_running, require_embedded
    from flowflare.cli.plan_text import summary
    from flowflare.cli.progress import progress
    from flowflare.config.files import read_project
    from flowflare.engine import open_stack

    project = read_project(project_root(cwd), stack)
    require_embedded(project, "destroy")
    if not yes:
        _ask(stack)
    opened = open_stack(project.root, stack)
    if opened.is_empty():
        answers().print(f"Stack {stack} has no resources.", markup=False)
        return
    ensure_running(project)
    messages().print(f"Destroying {project.name}/{stack}", markup=False)
    with progress("Working") as on_event:
        update = opened.destroy(on_event)
    seconds = f"{update.seconds:.1f} s"
    answers().print(f"\nDone in {seconds}: {summary(update.steps)}.", markup=False)


def _ask(stack: str) -> None:
    import typer

    if not sys.stdin.isatty():
        raise FlowflareError(
            f"destroying stack {stack} deletes its database and needs a yes",
            remedy=f"Run: flowflare destroy --stack {stack} --yes",
        )
    question = f"This deletes the database of stack {stack} with all its runs. Its name, to go on"
    if typer.prompt(question, err=True) != stack:
        raise FlowflareError("that is not the stack's name; nothing was destroyed")
