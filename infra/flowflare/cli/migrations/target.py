"""Find the database that a command is about, and its files."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from flowflare import library
from flowflare.api import connect
from flowflare.cli.completion import complete_clients
from flowflare.cli.local import ensure_running
from flowflare.config.engine import engine_of
from flowflare.config.files import Project
from flowflare.config.load import load_stack
from flowflare.engine.access import find_token, read_base_url
from flowflare.errors import ApiError, ConfigError, FlowflareError, Problem
from flowflare.migrations.files import Migration, read_migrations
from flowflare.migrations.ledger import RemoteDatabase
from flowflare.model.stack import StackSpec

ClientOption = Annotated[
    str | None,
    typer.Option(
        "--client",
        metavar="NAME",
        help="The client whose database to use; by default the tracking database.",
        autocompletion=complete_clients,
    ),
]
DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="BINDING",
        help="The binding of the client's database, if it has several.",
    ),
]


@dataclass(frozen=True)
class TargetDatabase:
    """One database of a stack.

    Attributes:
        what: a description, such as `the tracking database`.
        folder: the folder of its files, None if the configuration does not name one.
        options: the options that select it, with a space in front.
        pattern: which files of the folder are migrations; None for all SQL files.
        table: the table of the applied migrations; None for wrangler's default.
    """

    what: str
    account_id: str
    name: str
    folder: Path | None
    options: str
    pattern: str | None = None
    table: str | None = None

    def files(self) -> tuple[Migration, ...]:
        """Read its migrations.

        Raises:
            MigrationError: a file is invalid.
        """
        return read_migrations(self.folder, self.pattern) if self.folder else ()

    def explain_no_files(self) -> str:
        """Return why there are no migrations."""
        if not self.folder:
            return "It has no folder of migrations."
        return explain_no_files(self.folder, self.pattern)


def explain_no_files(folder: Path, pattern: str | None = None) -> str:
    """Return what a folder without migrations has instead."""
    found = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    has = f"It has {', '.join(found[:5])}{' ...' if len(found) > 5 else ''}." if found else ""
    wanted = pattern or "*.sql or */migration.sql"
    return f"{folder}: nothing here is a migration ({wanted}). {has}".rstrip()


@dataclass(frozen=True)
class ConnectedDatabase:
    """A database that answered."""

    database: RemoteDatabase
    uuid: str


def read_spec(project: Project) -> StackSpec:
    """Read the stack's configuration.

    Raises:
        ConfigError: every problem found.
    """
    values = {key: value.text for key, value in project.values.items()}
    return load_stack(values, project=project.name, stack=project.stack, origins=project.places)


def list_targets(project: Project) -> Iterator[TargetDatabase]:
    """List every database of a stack, the tracking database first."""
    spec = read_spec(project)
    account = spec.account_id
    folder = library.folder("migrations")
    yield TargetDatabase("the tracking database", account, spec.service.database_name, folder, "")
    for client in spec.clients:
        for database in client.databases:
            where = project.root / database.migrations if database.migrations else None
            what = f"database {database.binding} of client {client.name}"
            options = f" --client {client.name} --database {database.binding}"
            name, table = database.database_name, database.migrations_table
            yield TargetDatabase(what, account, name, where, options, database.pattern, table)


def find_target(project: Project, client: str | None, binding: str | None) -> TargetDatabase:
    """Find the database that the options name.

    Raises:
        ConfigError: no database matches the options, or several do.
    """
    every = list(list_targets(project))
    if client is None and binding is None:
        return every[0]
    wanted = f" --client {client} " if client else " "
    found = [target for target in every[1:] if wanted in target.options]
    found = [
        target for target in found if binding is None or target.options.endswith(f" {binding}")
    ]
    if len(found) == 1:
        return found[0]
    options = f"--client {client}" if client else ""
    options = f"{options} --database {binding}".strip() if binding else options
    words = "matches several databases" if found else "does not match a database of the stack"
    choice = "; ".join(target.options.strip() for target in found or every[1:])
    remedy = f"Use one of: {choice}." if choice else "Declare one under a client's `databases`."
    raise ConfigError([Problem(project.stack_file.name, f"{options}: {words}", remedy)])


def connect_database(project: Project, target: TargetDatabase) -> ConnectedDatabase:
    """Find a database by its name in the account.

    Raises:
        FlowflareError: the database or the token is missing, or the API does not answer.
    """
    if engine_of(project).needs_emulator:
        ensure_running(project)
    client = connect(read_base_url(project, os.environ), find_token(project, os.environ))
    path = f"/accounts/{target.account_id}/d1/database/{target.name}"
    try:
        found = client.call("GET", path)
    except ApiError as error:
        if error.status != 404:
            raise
        raise FlowflareError(
            f"{target.what}: there is no D1 database {target.name} in account {target.account_id}",
            remedy=f"Create it: flowflare up --stack {quote(project.stack)}",
        ) from None
    return ConnectedDatabase(
        RemoteDatabase(client, target.account_id, found["uuid"], target.table), found["uuid"]
    )
