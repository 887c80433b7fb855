"""`flowflare env list`: show the ephemeral environments and when they expire."""

from flowflare.cli.options import JsonOption, ProjectOption, project_root
from flowflare.errors import StateError


def list_(cwd: ProjectOption = None, json: JsonOption = False) -> None:
    """List the project's ephemeral environments, including those of other machines.

    Example: flowflare env list --json | jq '.environments[] | select(.expired) | .name'
    """
    import os

    from flowflare.cli.console import answers, messages, print_json
    from flowflare.cli.env.surroundings import document, format_left, format_time
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
                    {**document(record), "expired": record.has_expired(now)} for record in records
                ]
            }
        )
        return
    for record in records:
        left = format_left(record.expires - now)
        until = format_time(record.expires)
        text = f"  {record.name:<24} from {record.base:<16} until {until}  ({left})"
        answers().print(text, markup=False)
    if not records:
        answers().print("No ephemeral environments.  Next:  flowflare env up pr-123", markup=False)
    elif any(record.has_expired(now) for record in records):
        answers().print("\nNext:  flowflare env sweep", markup=False)
