"""`flowflare migrations new`: create the next file."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from flowflare.cli.console import print_message, print_result
from flowflare.cli.migrations.target import (
    ClientOption,
    DatabaseOption,
    TargetDatabase,
    find_target,
)
from flowflare.cli.options import DEFAULT_STACK, ProjectOption, StackOption, choose_project_root
from flowflare.config.files import read_project
from flowflare.errors import MigrationError
from flowflare.migrations.files import make_next_name, read_migrations, read_number
from flowflare.migrations.patterns import compile_pattern


def new(
    words: Annotated[
        str, typer.Argument(metavar="NAME", help="What it does, such as create_orders.")
    ],
    client: ClientOption = None,
    database: DatabaseOption = None,
    stack: StackOption = DEFAULT_STACK,
    cwd: ProjectOption = None,
) -> None:
    """Create the next migration file, named and numbered like the files that exist.

    Example: flowflare migrations new create_orders --client orders
    """
    root = choose_project_root(cwd)
    target = find_target(read_project(root, stack), client, database)
    folder = _choose_folder(target, root)
    files = read_migrations(folder, target.pattern) if folder.is_dir() else ()
    now = datetime.now(UTC)
    name = make_next_name(files, words, now)
    if target.pattern and not compile_pattern(target.pattern).fullmatch(name):
        message = f"{name}: does not match the pattern of the migrations, {target.pattern}"
        raise MigrationError(message, remedy="Create the file yourself, with a name that matches.")
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8", newline="\n") as file:
        number = read_number(name) or name
        file.write(f"-- Migration number: {number} \t {now:%Y-%m-%dT%H:%M:%SZ}\n")
    print_result(str(path.relative_to(root)))
    print_message(f"Next:  write its SQL, then  flowflare migrations lint{target.options}")


def _choose_folder(target: TargetDatabase, root: Path) -> Path:
    """Return the folder, unless its files belong to flowflare."""
    if target.folder is None:
        raise MigrationError(
            f"{target.what} has no folder of migrations",
            remedy="Name one under its binding: `migrations: migrations/orders`",
        )
    if not target.folder.is_relative_to(root):
        raise MigrationError(
            "the tracking database's migrations come with flowflare, and newer releases add "
            "more of them",
            remedy="Keep tables of your own in a client's database: name it under "
            "`flowflare:clients`, NAME, `databases`, then: "
            "flowflare migrations new NAME --client NAME",
        )
    return target.folder
