"""`flowflare env sweep`: removes the ephemeral environments whose time is over."""

from typing import TYPE_CHECKING, Annotated

import typer

from flowflare.cli.options import JsonOption, ProjectOption, project_root
from flowflare.errors import FleetError, StateError

if TYPE_CHECKING:
    from pathlib import Path

    from flowflare.fleet.environments.lifecycle import SweepResult
    from flowflare.fleet.environments.records import EnvironmentRecord

DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be removed, and remove nothing.")
]


def sweep(
    dry_run: DryRunOption = False, cwd: ProjectOption = None, json: JsonOption = False
) -> None:
    """Remove every ephemeral environment whose time is over, as a scheduled job does.

    Only stacks with a record of `flowflare env up` are looked at. One that cannot be removed stops
    no other; the next sweep tries again.

    Examples:

      flowflare env sweep --dry-run

      flowflare env sweep --json
    """
    root = project_root(cwd)
    if dry_run:
        _preview(root, json)
        return
    from flowflare.cli.console import answers, messages, print_json
    from flowflare.cli.env.surroundings import surroundings
    from flowflare.fleet.environments import lifecycle

    def began(record: "EnvironmentRecord") -> None:
        messages().print(f"Removing environment {record.name}", markup=False)

    swept: list[SweepResult] = []
    broken: list[StateError] = []
    with surroundings(root, "Working") as where:
        for one in lifecycle.sweep(where, began, broken):
            swept.append(one)
            if one.error:
                text = f"  {one.record.name} is still there: {one.error.message}"
                messages().print(text, markup=False)
    for error in broken:
        messages().print(f"  {error}", markup=False)
    if json:
        print_json(_document(swept))
    else:
        gone = sum(not one.error for one in swept)
        answers().print(f"{gone} removed." if swept else "Nothing to remove.", markup=False)
    _refuse([one.record.name for one in swept if one.error], broken)


def _refuse(left: list[str], broken: list[StateError]) -> None:
    """Ends the command with what is still there."""
    if left:
        count = "1 environment is" if len(left) == 1 else f"{len(left)} environments are"
        raise FleetError(
            f"{count} still there: {', '.join(left)}",
            remedy=f"Run it again, or look at one: flowflare env down {left[0]}",
        )
    if broken:
        raise broken[0]


def _preview(root: "Path", json: bool) -> None:
    import os

    from flowflare.cli.console import answers, print_json
    from flowflare.cli.env.surroundings import document, shown_left
    from flowflare.fleet.environments.lifecycle import CommandContext, list_expired

    where = CommandContext(root, os.environ)
    records, now = list_expired(where), where.now()
    if json:
        print_json({"would_remove": [document(one) for one in records]})
        return
    for one in records:
        left = shown_left(one.expires - now)
        answers().print(f"  {one.name:<24} from {one.base:<16} {left}", markup=False)
    text = f"Would remove {len(records)}." if records else "Nothing to remove."
    answers().print(text, markup=False)


def _document(swept: "list[SweepResult]") -> dict[str, list[dict[str, str]]]:
    return {
        "removed": [{"name": one.record.name} for one in swept if not one.error],
        "failed": [
            {"name": one.record.name, "error": str(one.error)} for one in swept if one.error
        ],
    }
