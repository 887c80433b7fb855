"""`flowflare stack rm`: remove a stack's state, history and file."""

import os
from shlex import quote
from typing import Annotated

import typer

from flowflare.cli.completion import complete_stacks
from flowflare.cli.options import ProjectOption, choose_project_root
from flowflare.errors import FlowflareError


def rm(
    stack: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="The stack.",
            autocompletion=complete_stacks,
            show_default=False,
        ),
    ],
    cwd: ProjectOption = None,
    force: Annotated[
        str | None,
        typer.Option(
            "--force",
            metavar="NAME",
            help="The stack's name again, to leave its resources in the account, unmanaged.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Remove a stack: its state, its history and its file.

    Refuses a stack that has resources; destroy it first. The file goes last, so the same command
    resumes after a crash.

    Examples:

      flowflare destroy -s old && flowflare stack rm old

      flowflare stack rm old --force old
    """
    from flowflare.cli.console import print_result
    from flowflare.config.files import read_project
    from flowflare.engine.contract import open_stack
    from flowflare.fleet.tenants.files import refuse_removal

    project = read_project(choose_project_root(cwd), stack)
    refuse_removal(project)
    if force not in (None, stack):
        raise typer.BadParameter(f"--force names {force}, not the stack {stack}")
    opened = open_stack(project, os.environ)
    if opened.is_made():
        count = sum(record.custom for record in opened.read().resources)
        if not opened.is_empty() and force is None:
            counted = "1 resource" if count == 1 else f"{count} resources"
            raise FlowflareError(
                f"stack {stack} has {counted}; nothing was removed",
                remedy=f"Destroy them: flowflare destroy -s {quote(stack)}. Or leave them in the "
                f"account, unmanaged: flowflare stack rm {quote(stack)} --force {quote(stack)}",
            )
        opened.remove()
    project.stack_file.unlink(missing_ok=True)
    print_result(f"Removed stack {stack}: its state, its history and {project.stack_file.name}.")
