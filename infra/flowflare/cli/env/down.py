"""`flowflare env down`: remove an ephemeral environment before it expires."""

from flowflare.cli.console import print_json, print_message, print_result
from flowflare.cli.env.surroundings import NameArgument, make_context
from flowflare.cli.options import JsonOption, ProjectOption, choose_project_root
from flowflare.fleet.environments.lifecycle import take_down


def down(name: NameArgument, cwd: ProjectOption = None, json: JsonOption = False) -> None:
    """Remove an ephemeral environment with its data, its stack and its file.

    Does not ask, because it only removes ephemeral environments. Succeeds if the environment does
    not exist, so that a job may run it twice.

    Example: flowflare env down pr-123
    """
    root = choose_project_root(cwd)
    print_message(f"Removing environment {name}")
    with make_context(root, "Working") as where:
        removed = take_down(name, where)
    if json:
        print_json({"name": name, "removed": removed})
    elif removed:
        print_result(f"Environment {name} was removed.")
    else:
        text = f"There is no ephemeral environment {name}.  Next:  flowflare env list"
        print_result(text)
