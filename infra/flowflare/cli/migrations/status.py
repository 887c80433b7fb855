"""`flowflare migrations status`: show which migrations are applied."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from flowflare.cli.console import open_stderr, print_json, print_result
from flowflare.cli.migrations.target import (
    ClientOption,
    DatabaseOption,
    TargetDatabase,
    connect_database,
    find_target,
    list_targets,
)
from flowflare.cli.options import (
    DEFAULT_STACK,
    JsonOption,
    ProjectOption,
    StackOption,
    choose_project_root,
    make_stack_option,
)
from flowflare.config.files import Project, read_project
from flowflare.errors import MigrationError
from flowflare.migrations.ledger import read_ledger
from flowflare.migrations.status import FileStatus, list_ledger, list_status

AllOption = Annotated[
    bool,
    typer.Option("--all", help="Show every database of the stack: the tracking one and clients'."),
]


def status(
    client: ClientOption = None,
    database: DatabaseOption = None,
    every: AllOption = False,
    stack: StackOption = DEFAULT_STACK,
    cwd: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Show for each migration whether and when it was applied, and what is wrong with it.

    Exits with 1 if something is wrong, such as a file that was edited after it was applied.

    Examples:

      flowflare migrations status

      flowflare migrations status --client orders --json

      flowflare migrations status --all --stack prod
    """
    if every and (client or database):
        raise typer.BadParameter("--all shows every database: leave --client and --database out")
    project = read_project(choose_project_root(cwd), stack)
    targets = tuple(list_targets(project)) if every else (find_target(project, client, database),)
    with open_stderr().status("Reading the databases"):
        read = [_read(project, target) for target in targets]
    if json:
        documents = [each.make_document() for each in read]
        print_json(documents if every else documents[0])
    else:
        for number, each in enumerate(read):
            if number:
                print_result("")
            _show(each.target, each.files, stack)
    _refuse_problems(read)


@dataclass(frozen=True)
class _Status:
    """What is known of one database.

    Attributes:
        files: its migrations, only those of its ledger if the folder cannot be read.
        error: why the folder cannot be read.
    """

    target: TargetDatabase
    uuid: str
    files: tuple[FileStatus, ...]
    error: MigrationError | None

    def make_document(self) -> dict[str, Any]:
        return {
            "database": self.target.name,
            "database_id": self.uuid,
            "pending": sum(file.state == "pending" for file in self.files),
            "problems": self.error.message.splitlines() if self.error else [],
            "files": [vars(file) for file in self.files],
        }


def _read(project: Project, target: TargetDatabase) -> _Status:
    reached = connect_database(project, target)
    applied = read_ledger(reached.database)
    ledger = tuple(list_ledger(applied))
    try:
        files = tuple(list_status(target.files(), applied)) if target.folder else ledger
    except MigrationError as error:
        return _Status(target, reached.uuid, ledger, error)
    return _Status(target, reached.uuid, files, None)


def _refuse_problems(read: Sequence[_Status]) -> None:
    """Raise what is wrong with the databases' migrations, if anything.

    Raises:
        MigrationError: a folder cannot be read, or migrations have problems.
    """
    messages, remedies = [], []
    for each in read:
        wrong = [file.name for file in each.files if file.problem]
        if each.error:
            messages.append(each.error.message)
            remedies.append(each.error.remedy)
        elif wrong:
            messages.append(
                f"{each.target.name}: {len(wrong)} of {len(each.files)} migrations cannot stay as "
                f"they are: {', '.join(wrong)}"
            )
            remedies.append("The next `up` is refused until this is corrected.")
    if messages:
        remedy = "\n".join(dict.fromkeys(filter(None, remedies)))
        raise MigrationError("\n".join(messages), remedy=remedy or None)


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
