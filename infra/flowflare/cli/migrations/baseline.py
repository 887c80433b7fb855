"""`flowflare migrations baseline`: record files in a database that already has their tables."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

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
)
from flowflare.config.files import read_project
from flowflare.errors import MigrationError
from flowflare.migrations.baseline import (
    SchemaDifference,
    compare_objects,
    find_match,
    list_files_with_data,
    read_objects,
)
from flowflare.migrations.files import Migration, find_named
from flowflare.migrations.ledger import read_ledger, rewrite
from flowflare.migrations.plan import Applied, list_pending

_WORDS = {
    "missing": "the files create it, the database does not have it",
    "extra": "the database has it, the files do not create it",
    "different": "it is different in the database",
}


def baseline(
    client: ClientOption = None,
    database: DatabaseOption = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="FILE",
            help="The last file that the database already has; by default the last of all.",
        ),
    ] = None,
    stack: StackOption = DEFAULT_STACK,
    cwd: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Record migrations as applied in a database that has their tables but no ledger.

    Compares the database's tables, indexes, views and triggers with what the files create. Shows
    every difference, and records the files only if there are none.

    Example: flowflare migrations baseline --client orders --to 0002_add_lines.sql
    """
    project = read_project(choose_project_root(cwd), stack)
    target = find_target(project, client, database)
    every = target.files()
    with open_stderr().status("Reading the database"):
        reached = connect_database(project, target)
        applied = read_ledger(reached.database)
        files = _choose_files(every, applied, to)
        objects = read_objects(reached.database)
    found = compare_objects(objects, files)
    names = [] if found else [file.name for file in files]
    if not found:
        rewrite(reached.database, applied, files)
    if json:
        print_json({"differences": [vars(difference) for difference in found], "recorded": names})
    if found:
        if not json:
            _show(found)
        raise _make_refusal(target, objects, every)
    if json:
        return
    print_result(f"{target.name} has what {len(files)} files create. Recorded:")
    for name in names:
        print_result(f"  {name}")
    filled = ", ".join(list_files_with_data(files))
    if filled:
        print_result(f"\nThese files also write rows, which were not compared: {filled}")
    print_result(f"\nNext:  flowflare migrations status{target.options}")


def _choose_files(
    every: Sequence[Migration], applied: Sequence[Applied], to: str | None
) -> Sequence[Migration]:
    """Choose the files to record.

    Raises:
        MigrationError: the file does not exist, or the ledger has files already.
    """
    if applied:
        list_pending(every, applied)
        raise MigrationError(
            f"the ledger has {len(applied)} files already",
            remedy="There is nothing to record. To apply pending files: flowflare up",
        )
    names = [file.name for file in every]
    found = names if to is None else find_named(names, to)
    if not found:
        remedy = f"Files: {', '.join(names) or 'none'}."
        raise MigrationError(f"{to or 'the folder'}: there is no such file", remedy=remedy)
    return every[: names.index(found[-1]) + 1]


def _show(found: Sequence[SchemaDifference]) -> None:
    for difference in found:
        print_result(f"{difference.type} {difference.name}: {_WORDS[difference.kind]}")
        for place, sql in (("database", difference.database), ("files", difference.files)):
            if sql is not None:
                text = "\n    ".join(sql.splitlines())
                print_result(f"  {place}:\n    {text}", style="dim")


def _make_refusal(
    target: TargetDatabase, objects: Mapping[tuple[str, str], str], every: Sequence[Migration]
) -> MigrationError:
    if not objects:
        remedy = "The database is empty: flowflare up applies the files."
        return MigrationError(f"{target.name}: nothing was recorded", remedy=remedy)
    last = find_match(objects, every)
    remedy = (
        f"It has what the files up to {last.name} create: run it with --to {last.name}"
        if last
        else "First make the database and the files agree."
    )
    return MigrationError(f"{target.name}: nothing was recorded", remedy=remedy)
