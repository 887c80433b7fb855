"""`flowflare env list`: shows the ephemeral environments and how long they live."""

from flowflare.cli.options import JsonOption, ProjectOption, project_root
from flowflare.errors import StateError


def list_(cwd: ProjectOption = None, json: JsonOption = False) -> None:
    """List the ephemeral environments of the project, whichever machine made them.

    Example: flowflare env list --json | jq '.environments[] | select(.expired) | .name'
    """
    import os

    from flowflare.cli.console import answers, messages, print_json
    from flowflare.cli.env.surroundings import document, shown_left, shown_time
    from flowflare.fleet.environments.lifecycle import CommandContext

    where = CommandContext(project_root(cwd), os.environ)
    broken: list[StateError] = []
    records, now = where.records().read_all(broken), where.now()
    for error in broken:
        messages().print(f"warning: {error}", markup=False)
    if json:
        print_json(
            {
                "environments": [
                    {**document(one), "expired": one.has_expired(now)} for one in records
                ]
            }
        )
        return
    for one in records:
        left = shown_left(one.expires - now)
        text = f"  {one.name:<24} from {one.base:<16} until {shown_time(one.expires)}  ({left})"
        answers().print(text, markup=False)
    if not records:
        answers().print("No ephemeral environments.  Next:  flowflare env up pr-123", markup=False)
    elif any(one.has_expired(now) for one in records):
        answers().print("\nNext:  flowflare env sweep", markup=False)
