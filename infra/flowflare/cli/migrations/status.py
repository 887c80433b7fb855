"""`flowflare migrations status`: shows where each file stands."""

from typing import TYPE_CHECKING, Any

from flowflare.cli.migrations.target import ClientOption, DatabaseOption, Target
from flowflare.cli.options import (
    DEFAULT_STACK,
    JsonOption,
    ProjectOption,
    StackOption,
    project_root,
    stack_words,
)
from flowflare.errors import MigrationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowflare.migrations.status import FileStatus


def status(
    client: ClientOption = None,
    database: DatabaseOption = None,
    stack: StackOption = DEFAULT_STACK,
    cwd: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Show for each migration whether it is applied, since when, and what is wrong with it.

    Examples:

      flowflare migrations status

      flowflare migrations status --client orders --json
    """
    from flowflare.cli.console import messages, print_json
    from flowflare.cli.migrations.target import find_target, reach
    from flowflare.config.files import read_project
    from flowflare.migrations.ledger import read_ledger
    from flowflare.migrations.status import list_status as status_of

    project = read_project(project_root(cwd), stack)
    target = find_target(project, client, database)
    with messages().status("Asking the database"):
        reached = reach(project, target)
        applied = read_ledger(reached.database)
    broken: MigrationError | None = None
    try:
        found = status_of(target.files(), applied)
    except MigrationError as error:
        # What was applied is shown all the same: it says which file may be renumbered.
        broken, found = error, status_of((), applied)
    if json:
        print_json(_document(target, reached.uuid, found, broken))
    else:
        _show(target, found, stack)
    if broken:
        raise broken


def _document(
    target: Target, uuid: str, found: "Sequence[FileStatus]", broken: MigrationError | None
) -> dict[str, Any]:
    return {
        "database": target.name,
        "database_id": uuid,
        "pending": sum(one.state == "pending" for one in found),
        "problems": broken.message.splitlines() if broken else [],
        "files": [vars(one) for one in found],
    }


def _show(target: Target, found: "Sequence[FileStatus]", stack: str) -> None:
    from flowflare.cli.console import answers

    answers().print(f"{target.name}, {target.what}\n", markup=False)
    if not found:
        answers().print("It has no migrations.")
        return
    heads = ("file", "state", "applied at (UTC)", "by", "bookmark before it")
    rows = [
        (one.name, one.state, one.applied_at or "", one.by or "", one.bookmark or "")
        for one in found
    ]
    # Wider than a narrow terminal, and never cut: a bookmark is there to be copied.
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        line = "  ".join(cells).rstrip()
        answers().print(line, style="bold" if row is heads else None, markup=False)
    for one in found:
        if one.problem:
            answers().print(f"\n{one.problem}", style="red", markup=False)
    waiting = sum(one.state == "pending" for one in found)
    if waiting and not any(one.problem for one in found):
        answers().print(
            f"\nNext:  flowflare up{stack_words(stack)}   applies {waiting}", markup=False
        )
