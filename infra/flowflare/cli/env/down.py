"""`flowflare env down`: removes an ephemeral environment before its time is over."""

from flowflare.cli.env.surroundings import NameArgument
from flowflare.cli.options import JsonOption, ProjectOption, project_root


def down(name: NameArgument, cwd: ProjectOption = None, json: JsonOption = False) -> None:
    """Remove an ephemeral environment with its data, its stack and its file.

    It asks for nothing: what is not ephemeral it does not touch. One that is not there is no
    error, so that a job may run it twice.

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
        answers().print(f"Environment {name} is gone.", markup=False)
    else:
        text = f"There is no ephemeral environment {name}.  Next:  flowflare env list"
        answers().print(text, markup=False)
