"""`flowflare unlock`: remove the locks that a killed run left behind."""

from flowflare.cli.console import print_message
from flowflare.cli.options import DEFAULT_STACK, ProjectOption, StackOption, choose_project_root
from flowflare.cli.stacks import open_project_stack
from flowflare.config.files import read_project


def unlock(stack: StackOption = DEFAULT_STACK, cwd: ProjectOption = None) -> None:
    """Remove the locks and the lease of a run that was killed.

    First make sure that no other run works on the stack: two at once can create resources twice.

    Example: flowflare unlock --stack local
    """
    project = read_project(choose_project_root(cwd), stack)
    removed = open_project_stack(project).unlock()
    for lock in removed:
        print_message(f"Removed {lock}")
    if not removed:
        print_message(f"Stack {stack} is not locked.")
