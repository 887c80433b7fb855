"""`flowflare migrations status`: show which migrations are applied."""

from collections.abc import Sequence
from typing import Any

from flowflare.cli.console import open_stderr, print_json, print_result
from flowflare.cli.migrations.target import (
    ClientOption,
    DatabaseOption,
    TargetDatabase,
    connect_database,
    find_target,
)
from flowflare.cli.options import (
    DEFAULT_STACK,
    JsonOption,
    ProjectOption,
    StackOption,
    choose_project_root,
    make_stack_option,
)
from flowflare.config.files import read_project
from flowflare.errors import MigrationError
from flowflare.migrations.ledger import read_ledger
from flowflare.migrations.status import FileStatus, list_ledger, list_status


def status(
    client: ClientOption = None,
    database: DatabaseOption = None,
    stack: StackOption = DEFAULT_STACK,
    cwd: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Show for each migration whether and when it was applied, and what is wrong with it.

    Exits with 1 if something is wrong, such as a file that was edited after it was applied.

    Examples:

      flowflare migrations status

      flowflare migrations status --client orders --json
    """
    project = read_project(choose_project_root(cwd), stack)
    target = find_target(project, client, database)
    with open_stderr().status("Reading the database"):
        reached = connect_database(project, target)
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
    wrong = [file.name for file in found if file.problem]
    if wrong:
        raise MigrationError(
            f"{target.name}: {len(wrong)} of {len(found)} migrations cannot stay as they are: "
            f"{', '.join(wrong)}",
            remedy="The next `up` is refused until this is corrected.",
        )


def _document(
    target: TargetDatabase, uuid: str, found: Sequence[FileStatus], broken: MigrationError | None
) -> dict[str, Any]:
    return {
        "database": target.name,
        "database_id": uuid,
        "pending": sum(file.state == "pending" for file in found),
        "problems": broken.message.splitlines() if broken else [],
        "files": [vars(file) for file in found],
    }


def _show(target: TargetDatabase, found: Sequence[FileStatus], stack: str) -> None:
    print_result(f"{target.name}, {target.what}\n")
    if not found:
        print_result(target.explain_no_files())
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
        print_result(line, style="bold" if row is heads else "")
    for file in found:
        if file.problem:
            print_result(f"\n{file.problem}", style="red")
    waiting = sum(file.state == "pending" for file in found)
    if waiting and not any(file.problem for file in found):
        print_result(f"\nNext:  flowflare up{make_stack_option(stack)}   applies {waiting}")
