"""`flowflare env sweep`: remove the ephemeral environments that have expired."""

import os
from pathlib import Path
from typing import Annotated

import typer

from flowflare.cli.console import print_json, print_message, print_result
from flowflare.cli.env.surroundings import describe_environment, format_left, make_context
from flowflare.cli.options import JsonOption, ProjectOption, choose_project_root
from flowflare.errors import FleetError, StateError
from flowflare.fleet.environments import lifecycle
from flowflare.fleet.environments.lifecycle import CommandContext, SweepResult, list_expired
from flowflare.fleet.environments.records import EnvironmentRecord

DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be removed, and remove nothing.")
]


def sweep(
    dry_run: DryRunOption = False, cwd: ProjectOption = None, json: JsonOption = False
) -> None:
    """Remove every ephemeral environment that has expired; meant for a scheduled job.

    Considers only environments of `flowflare env up`. If one cannot be removed, the others still
    are, and the next sweep tries again.

    Examples:

      flowflare env sweep --dry-run

      flowflare env sweep --json
    """
    root = choose_project_root(cwd)
    if dry_run:
        _preview(root, json)
        return

    def began(record: EnvironmentRecord) -> None:
        print_message(f"Removing environment {record.name}")

    swept: list[SweepResult] = []
    broken: list[StateError] = []
    with make_context(root, "Working") as where:
        for result in lifecycle.sweep(where, began, broken):
            swept.append(result)
            if result.error:
                text = f"  {result.record.name} was not removed: {result.error.message}"
                print_message(text)
    for error in broken:
        print_message(f"  {error}")
    if json:
        print_json(_document(swept))
    else:
        removed = sum(not result.error for result in swept)
        print_result(f"{removed} removed." if swept else "Nothing to remove.")
    _refuse([result.record.name for result in swept if result.error], broken)


def _refuse(left: list[str], broken: list[StateError]) -> None:
    """Raise an error if an environment was not removed."""
    if left:
        count = "1 environment was" if len(left) == 1 else f"{len(left)} environments were"
        raise FleetError(
            f"{count} not removed: {', '.join(left)}",
            remedy=f"Run it again, or see the error of one: flowflare env down {left[0]}",
        )
    if broken:
        raise broken[0]


def _preview(root: Path, json: bool) -> None:
    where = CommandContext(root, os.environ)
    records, now = list_expired(where), where.now()
    if json:
        print_json({"would_remove": [describe_environment(record) for record in records]})
        return
    for record in records:
        left = format_left(record.expires - now)
        print_result(f"  {record.name:<24} from {record.base:<16} {left}")
    text = f"Would remove {len(records)}." if records else "Nothing to remove."
    print_result(text)


def _document(swept: list[SweepResult]) -> dict[str, list[dict[str, str]]]:
    return {
        "removed": [{"name": result.record.name} for result in swept if not result.error],
        "failed": [
            {"name": result.record.name, "error": str(result.error)}
            for result in swept
            if result.error
        ],
    }
