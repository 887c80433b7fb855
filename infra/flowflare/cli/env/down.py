"""`flowflare env down`: remove an ephemeral environment before it expires."""

from flowflare.cli.env.surroundings import NameArgument
from flowflare.cli.options import JsonOption, ProjectOption, project_root


def down(name: NameArgument, cwd: ProjectOption = None, json: JsonOption = False) -> None:
    """Remove an ephemeral environment with its data, its stack and its file.

    Does not ask, because it only removes ephemeral environments. Succeeds if the environment does
    not exist, so that a job may run it twice.

    Example: flowflare env down pr-123
    """
    from flowflare.cli.console import answers, messages, print_json
    from flowflare.cli.env.surroundings import surroundings
    from flowflare.fleet.environments.lifecycle import take_down

    root = project_root(cwd)
    messages().print(f"Removing environment {name}", markup=False)
    with surroundings(root, "Working") as where:
        removed = take_down(name, where)
    if json:
        print_json({"name": name, "removed": removed})
    elif removed:
        answers().print(f"Environment {name} was removed.", markup=False)
    else:
        text = f"There is no ephemeral environment {name}.  Next:  flowflare env list"
        answers().print(text, markup=False)
