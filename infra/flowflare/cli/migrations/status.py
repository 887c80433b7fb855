"""`flowflare migrations status`: show which migrations are applied."""

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
    """Show for each migration whether and when it was applied, and what is wrong with it.

    Examples:

      flowflare migrations status

      flowflare migrations status --client orders --json
    """
    from flowflare.cli.console import messages, print_json
    from flowflare.cli.migrations.target import find_target, reach
    from flowflare.config.files import read_project
    from flowflare.migrations.ledger import read_ledger
    from flowflare.migrations.status import list_ledger, list_status

    project = read_project(project_root(cwd), stack)
    target = find_target(project, client, database)
    with messages().status("Reading the database"):
        reached = reach(project, target)
        applied = read_ledger(reached.database)
    broken: MigrationError | None = None
    ledger = tuple(list_ledger(applied))
    try:
        found = list_status(target.files(), applied) if target.folder else ledger
    except MigrationError as error:
        # The files cannot be read, so nothing is known of them but what the ledger has.
        broken, found = error, ledger
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
        "pending": sum(file.state == "pending" for file in found),
        "problems": broken.message.splitlines() if broken else [],
        "files": [vars(file) for file in found],
    }


def _show(target: Target, found: "Sequence[FileStatus]", stack: str) -> None:
    from flowflare.cli.console import answers

    answers().print(f"{target.name}, {target.what}\n", markup=False)
    if not found:
        answers().print(target.explain_no_files(), markup=False)
        return
    heads = ("file", "state", "applied at (UTC)", "by", "bookmark before it")
    rows = [
        (file.name, file.state, file.applied_at or "", file.by or "", file.bookmark or "")
        for file in found
    ]
    # Not cut to the width of a terminal, because users copy the bookmarks.
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        line = "  ".join(cells).rstrip()
        answers().print(line, style="bold" if row is heads else None, markup=False)
    for file in found:
        if file.problem:
            answers().print(f"\n{file.problem}", style="red", markup=False)
    waiting = sum(file.state == "pending" for file in found)
    if waiting and not any(file.problem for file in found):
        answers().print(
            f"\nNext:  flowflare up{stack_words(stack)}   applies {waiting}", markup=False
        )
