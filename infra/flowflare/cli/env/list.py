"""`flowflare env list`: show the ephemeral environments and when they expire."""

import os

from flowflare.cli.console import print_json, print_message, print_result
from flowflare.cli.env.surroundings import describe_environment, format_left, format_time
from flowflare.cli.options import JsonOption, ProjectOption, choose_project_root
from flowflare.errors import StateError
from flowflare.fleet.environments.lifecycle import CommandContext


def list_(cwd: ProjectOption = None, json: JsonOption = False) -> None:
    """List the project's ephemeral environments, including those of other machines.

    Example: flowflare env list --json | jq '.environments[] | select(.expired) | .name'
    """
    where = CommandContext(choose_project_root(cwd), os.environ)
    broken: list[StateError] = []
    records, now = where.records().read_all(broken), where.now()
    for error in broken:
        print_message(f"warning: {error}")
    if json:
        environments = [
            {**describe_environment(record), "expired": record.has_expired(now)}
            for record in records
        ]
        print_json({"environments": environments})
        return
    for record in records:
        left = format_left(record.expires - now)
        until = format_time(record.expires)
        text = f"  {record.name:<24} from {record.base:<16} until {until}  ({left})"
        print_result(text)
    if not records:
        print_result("No ephemeral environments.  Next:  flowflare env up pr-123")
    elif any(record.has_expired(now) for record in records):
        print_result("\nNext:  flowflare env sweep")
