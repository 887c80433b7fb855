"""`flowflare migrations restore`: restore a database with Time Travel."""

import os
import sys
from datetime import UTC, datetime
from shlex import quote
from typing import Annotated

import typer

from flowflare.cli.console import open_stderr, print_json, print_message, print_result
from flowflare.cli.migrations.target import (
    ClientOption,
    ConnectedDatabase,
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
from flowflare.config.engine import engine_of
from flowflare.config.files import Project, read_project
from flowflare.engine.embedded.doubt import doubt
from flowflare.errors import ApiError, FlowflareError, MigrationError
from flowflare.migrations.ledger import read_ledger
from flowflare.migrations.losses import (
    Destination,
    count_rows,
    describe_bookmark,
    describe_time,
    find_before_file,
)
from flowflare.state.checkpoint import Resource


def restore(  # noqa: PLR0913, PLR0917 -- each is an option of the command
    file: Annotated[
        str | None,
        typer.Argument(metavar="[FILE]", help="Restore to before this file; its number is enough."),
    ] = None,
    bookmark: Annotated[
        str | None,
        typer.Option("--bookmark", metavar="MARK", help="The bookmark to restore to."),
    ] = None,
    timestamp: Annotated[
        str | None,
        typer.Option(
            "--timestamp",
            metavar="TIME",
            help="The time to restore to, such as 2026-11-23T14:36:00Z.",
        ),
    ] = None,
    confirm: Annotated[
        str | None,
        typer.Option(
            "--confirm", metavar="NAME", help="The database's name, to confirm without being asked."
        ),
    ] = None,
    client: ClientOption = None,
    database: DatabaseOption = None,
    stack: StackOption = DEFAULT_STACK,
    cwd: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Restore a database to the moment before a migration, or to a bookmark or a time.

    Shows what is lost and asks for the database's name. Prints the bookmark that undoes the
    restore. The ledger is restored too, so the next `up` applies the undone files again: correct
    or delete them first.

    Examples:

      flowflare migrations restore 0003 --client orders

      flowflare migrations restore --timestamp 2026-11-23T14:36:00Z --confirm dev-flowflare-db
    """
    if sum(option is not None for option in (file, bookmark, timestamp)) != 1:
        raise typer.BadParameter("give exactly one of FILE, --bookmark and --timestamp.")
    project = read_project(choose_project_root(cwd), stack)
    target = find_target(project, client, database)
    with open_stderr().status("Reading the database"):
        reached = connect_database(project, target)
        to = _find_destination(reached, file, bookmark, timestamp)
    _say_losses(target, reached, to)
    _ask(target, confirm)
    _mark_uncertain(project, reached.uuid, to)
    with open_stderr().status("Restoring"):
        back = reached.database.restore(to.bookmark)
    way_back = f"flowflare migrations restore --bookmark {back}{_options(target, stack)}"
    if json:
        undone = list(to.undone)
        print_json({"database": target.name, "undone": undone, "previous_bookmark": back})
        return
    print_result(f"\n{target.name} is as it was {_describe_time(to)}.")
    print_result(f"To undo this:  {way_back}")
    _say_next(project, to)


def _find_destination(
    reached: ConnectedDatabase, file: str | None, bookmark: str | None, timestamp: str | None
) -> Destination:
    applied = read_ledger(reached.database)
    if file is not None:
        return find_before_file(applied, file)
    if bookmark is not None:
        return describe_bookmark(applied, bookmark)
    assert timestamp is not None
    moment = _parse_time(timestamp)
    try:
        return describe_time(applied, timestamp, str(reached.database.read_bookmark(moment)))
    except ApiError as error:
        if error.status != 400:
            raise
        reason = error.message.partition("HTTP 400: ")[2]
        raise MigrationError(
            f"Time Travel cannot restore to {timestamp}: {reason}",
            remedy="It reaches back 30 days (7 on the free plan), but not to before the "
            "database was created.",
        ) from None


def _parse_time(text: str) -> str:
    """Convert a time to the API's format; without a zone it is in UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        remedy = "Write it like 2026-11-23T14:36:00Z."
        raise MigrationError(f"{text!r} is not a valid time", remedy=remedy) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _say_losses(target: TargetDatabase, reached: ConnectedDatabase, to: Destination) -> None:
    lines = [f"{target.name}, {target.what}, is restored to {to.words}. This loses:"]
    if to.undone:
        lines.append(f"  the migrations {', '.join(to.undone)}")
    since = f"since {to.since} UTC" if to.since else "since then"
    lines.append(f"  every row written {since}{_format_age(to.since)}, by any Worker or person")
    try:
        counts = count_rows(reached.database)
    except ApiError:
        lines.append("  (the rows could not be counted)")
    else:
        rows = ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))
        lines.append(f"Rows now: {rows or 'no tables'}. D1 cannot say how many of them are newer.")
    lines.append("Requests in progress are cancelled.")
    print_message("\n".join(lines))


def _ask(target: TargetDatabase, confirm: str | None) -> None:
    if confirm is None and not sys.stdin.isatty():
        raise FlowflareError(
            f"restoring {target.name} loses data and must be confirmed",
            remedy=f"Add: --confirm {target.name}",
        )
    if confirm is None:
        confirm = typer.prompt("Type the database's name to confirm", err=True)
    if confirm != target.name:
        raise FlowflareError(
            f"{confirm!r} is not the database's name; nothing was changed",
            remedy=f"The database is {target.name}.",
        )


def _mark_uncertain(project: Project, uuid: str, to: Destination) -> None:
    """Mark the database as uncertain in state, before a crash could hide the restore."""

    def uses_database(record: Resource) -> bool:
        return "migrations" in record.inputs and record.inputs.get("database_id") == uuid

    doubt(project, os.environ, uses_database, f"its database was restored to {to.words}")


def _say_next(project: Project, to: Destination) -> None:
    files = ", ".join(to.undone)
    option = f" --stack {quote(project.stack)}"
    if files:
        print_result(f"\nCorrect or delete {files}; then:")
    else:
        print_result("\nNext:")
    if engine_of(project).has_refresh:
        print_result(f"  flowflare refresh{option}  reads the ledger into the state")
    print_result(f"  flowflare up{option}     applies what the ledger lacks")


def _describe_time(to: Destination) -> str:
    return to.words if to.words.startswith("before") else f"at {to.words}"


def _options(target: TargetDatabase, stack: str) -> str:
    return target.options + ("" if stack == DEFAULT_STACK else f" --stack {quote(stack)}")


def _format_age(since: str | None) -> str:
    if since is None:
        return ""

    try:
        then = datetime.fromisoformat(since).replace(tzinfo=UTC)
    except ValueError:
        return ""
    minutes = int((datetime.now(UTC) - then).total_seconds() // 60)
    if minutes < 120:
        return f" ({max(minutes, 0)} minutes)"
    return f" ({minutes // 60} hours)" if minutes < 60 * 48 else f" ({minutes // 1440} days)"
