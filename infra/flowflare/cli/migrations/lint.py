"""`flowflare migrations lint`: find what D1 refuses and what loses data."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from flowflare.cli.console import print_json, print_message, print_result
from flowflare.cli.migrations.target import (
    ClientOption,
    DatabaseOption,
    connect_database,
    explain_no_files,
    find_target,
    list_targets,
)
from flowflare.cli.options import (
    DEFAULT_STACK,
    JsonOption,
    ProjectOption,
    StackOption,
    choose_project_root,
)
from flowflare.config.files import read_project
from flowflare.errors import MigrationError
from flowflare.migrations.files import read_migrations
from flowflare.migrations.findings import Finding
from flowflare.migrations.ledger import read_ledger
from flowflare.migrations.lint import lint as lint_files

COLORS = {"error": "red", "warning": "yellow"}


def lint(  # noqa: PLR0913, PLR0917 -- each is an option of the command
    client: ClientOption = None,
    database: DatabaseOption = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--folder", metavar="DIR", help="A folder of migrations, instead of a stack's."
        ),
    ] = None,
    pending: Annotated[
        bool, typer.Option("--pending", help="Read the database, and skip the files that it has.")
    ] = False,
    stack: StackOption = DEFAULT_STACK,
    cwd: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Check migrations for what D1 refuses and what loses data. Exits with 1 for errors.

    Without --client, checks every database of the stack. Reads only files, unless --pending is
    given. `up` checks the files that it is about to apply in the same way. A comment before a
    statement accepts a finding:

      -- flowflare: accept drop-table: the rows are in orders since 0003

    Examples:

      flowflare migrations lint

      flowflare migrations lint --folder migrations/orders --json
    """
    found = list(
        _in_folder(folder) if folder else _in_stack(cwd, stack, client, database, pending=pending)
    )
    if json:
        print_json({"findings": [_document(where, finding) for where, finding in found]})
    else:
        for where, finding in found:
            _show(where, finding)
    errors = sum(finding.stops for _, finding in found)
    if errors:
        count = "1 error" if errors == 1 else f"{errors} errors"
        raise MigrationError(
            f"{count} in the migrations",
            remedy="Fix it, or say before the statement why it is intended: "
            "-- flowflare: accept <rule>: <reason>",
        )
    if not json:
        accepted = sum(finding.accepted is not None for _, finding in found)
        count = f"No errors, {len(found) - accepted} warnings, {accepted} accepted."
        print_result(count if found else "Nothing found.")


def _in_folder(folder: Path) -> Iterator[tuple[Path, Finding]]:
    files = read_migrations(folder)
    if not files:
        print_message(f"Warning: {explain_no_files(folder)}", style="yellow")
    return ((folder, finding) for finding in lint_files(files))


def _in_stack(
    cwd: Path | None, stack: str, client: str | None, database: str | None, *, pending: bool
) -> Iterator[tuple[Path, Finding]]:
    project = read_project(choose_project_root(cwd), stack)
    chosen = (
        [find_target(project, client, database)] if client or database else list_targets(project)
    )
    for target in chosen:
        if target.folder is None:
            continue
        files = target.files()
        if not files:
            print_message(f"Warning: {target.explain_no_files()}", style="yellow")
        rows = read_ledger(connect_database(project, target).database) if pending else ()
        known = {row.name for row in rows}
        ordered = sorted(files, key=lambda file: file.name not in known)
        where = target.folder
        if where.is_relative_to(project.root):
            where = where.relative_to(project.root)
        applied = sum(file.name in known for file in files)
        yield from ((where, finding) for finding in lint_files(ordered, applied=applied))


def _document(where: Path, finding: Finding) -> dict[str, Any]:
    return {**vars(finding), "file": str(where / finding.file)}


def _show(where: Path, finding: Finding) -> None:
    place = f"{where / finding.file}:{finding.line}"
    accepted = f" (accepted: {finding.accepted})" if finding.accepted else ""
    style = "dim" if finding.accepted else COLORS[finding.severity]
    head = f"{place}: {finding.severity}: {finding.rule}{accepted}"
    print_result(head, style=style)
    print_result(f"  {finding.message}.\n  {finding.remedy}")
    if finding.statement:
        print_result(f"  | {finding.statement}", style="dim")
