"""`flowflare migrations restore`: takes a database back by Time Travel."""

import os
import sys
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from flowflare.cli.migrations.target import ClientOption, DatabaseOption, Reached, Target
from flowflare.cli.options import (
    DEFAULT_STACK,
    JsonOption,
    ProjectOption,
    StackOption,
    project_root,
)
from flowflare.errors import ApiError, FlowflareError, MigrationError

if TYPE_CHECKING:
    from flowflare.config.files import Project
    from flowflare.migrations.losses import Destination
    from flowflare.state.checkpoint import Resource


def restore(  # noqa: PLR0913, PLR0917 -- each is an option of the command
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE]",
            help="The file to go back before; its number is enough.",
            show_default=False,
        ),
    ] = None,
    bookmark: Annotated[
        str | None,
        typer.Option("--bookmark", metavar="MARK", help="The bookmark to go back to."),
    ] = None,
    timestamp: Annotated[
        str | None,
        typer.Option(
            "--timestamp", metavar="TIME", help="The time to go back to, 2026-11-23T14:36:00Z."
        ),
    ] = None,
    confirm: Annotated[
        str | None,
        typer.Option("--confirm", metavar="NAME", help="The database's name, instead of asking."),
    ] = None,
    client: ClientOption = None,
    database: DatabaseOption = None,
    stack: StackOption = DEFAULT_STACK,
    cwd: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Take a database back to the moment before a migration, or to a bookmark or a time.

    Says what is lost and asks for the database's name. Prints the bookmark that leads back. The
    ledger goes back with the database; the next `up` applies the files that were undone, so
    correct or delete them first.

    Examples:

      flowflare migrations restore 0003 --client orders

      flowflare migrations restore --timestamp 2026-11-23T14:36:00Z --confirm dev-flowflare-db
    """
    from flowflare.cli.console import answers, messages, print_json
    from flowflare.cli.migrations.target import find_target, reach
    from flowflare.config.files import read_project

    if sum(one is not None for one in (file, bookmark, timestamp)) != 1:
        raise typer.BadParameter("name one of FILE, --bookmark and --timestamp.")
    project = read_project(project_root(cwd), stack)
    target = find_target(project, client, database)
    with messages().status("Asking the database"):
        reached = reach(project, target)
        to = _destination(reached, file, bookmark, timestamp)
    _say_losses(target, reached, to)
    _ask(target, confirm)
    _doubt(project, reached.uuid, to)
    with messages().status("Going back"):
        back = reached.database.restore(to.bookmark)
    way_back = f"flowflare migrations restore --bookmark {back}{_options(target, stack)}"
    if json:
        undone = list(to.undone)
        print_json({"database": target.name, "undone": undone, "previous_bookmark": back})
        return
    answers().print(f"\n{target.name} is as it was {_when(to)}.", markup=False)
    answers().print(f"The way back:  {way_back}", markup=False)
    _say_next(project, to)


def _destination(
    reached: Reached, file: str | None, bookmark: str | None, timestamp: str | None
) -> "Destination":
    from flowflare.migrations.ledger import read_ledger
    from flowflare.migrations.losses import describe_bookmark, describe_time, find_before_file

    applied = read_ledger(reached.database)
    if file is not None:
        return find_before_file(applied, file)
    if bookmark is not None:
        return describe_bookmark(applied, bookmark)
    assert timestamp is not None
    moment = _moment(timestamp)
    try:
        return describe_time(applied, timestamp, str(reached.database.read_bookmark(moment)))
    except ApiError as error:
        if error.status != 400:
            raise
        reason = error.message.partition("HTTP 400: ")[2]
        raise MigrationError(
            f"Time Travel does not reach {timestamp}: {reason}",
            remedy="It reaches back 30 days, 7 on the free plan, and to no time before the "
            "database was made.",
        ) from None


def _moment(text: str) -> str:
    """A time as the API takes it; one without a zone is in UTC."""
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        remedy = "Write it like 2026-11-23T14:36:00Z."
        raise MigrationError(f"{text!r} is no time", remedy=remedy) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _say_losses(target: Target, reached: Reached, to: "Destination") -> None:
    from flowflare.cli.console import messages
    from flowflare.migrations.losses import count_rows

    lines = [f"{target.name}, {target.what}, goes back to {to.words}. Lost are:"]
    if to.undone:
        lines.append(f"  the migrations {', '.join(to.undone)}")
    since = f"since {to.since} UTC" if to.since else "since then"
    lines.append(f"  every row written {since}{_ago(to.since)}, whoever wrote it")
    try:
        counts = count_rows(reached.database)
    except ApiError:
        lines.append("  (the rows could not be counted)")
    else:
        rows = ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))
        lines.append(f"Rows now: {rows or 'no tables'}. How many of them are newer, D1 cannot say.")
    lines.append("Requests that are under way are cancelled.")
    messages().print("\n".join(lines), markup=False)


def _ask(target: Target, confirm: str | None) -> None:
    if confirm is None and not sys.stdin.isatty():
        raise FlowflareError(
            f"taking {target.name} back loses data and needs a yes",
            remedy=f"Add: --confirm {target.name}",
        )
    if confirm is None:
        confirm = typer.prompt("The database's name, to go on", err=True)
    if confirm != target.name:
        raise FlowflareError(
            f"{confirm!r} is not the database's name; nothing was changed",
            remedy=f"The database is {target.name}.",
        )


def _doubt(project: "Project", uuid: str, to: "Destination") -> None:
    """Tells the embedded engine's state before anything is done: a killed run stays harmless."""
    from flowflare.engine.doubt import doubt

    def meant(record: "Resource") -> bool:
        return "migrations" in record.inputs and record.inputs.get("database_id") == uuid

    doubt(project, os.environ, meant, f"its database was taken back to {to.words}")


def _say_next(project: "Project", to: "Destination") -> None:
    from flowflare.cli.console import answers
    from flowflare.config.engine import engine_of

    files = ", ".join(to.undone)
    option = f" --stack {quote(project.stack)}"
    if files:
        answers().print(f"\nCorrect or delete {files}; then:", markup=False)
    else:
        answers().print("\nNext:", markup=False)
    if engine_of(project).has_refresh:
        answers().print(f"  pulumi refresh{option}     reads the ledger into the state")
    answers().print(f"  flowflare up{option}     applies what the ledger lacks", markup=False)


def _when(to: "Destination") -> str:
    return to.words if to.words.startswith("before") else f"at {to.words}"


def _options(target: Target, stack: str) -> str:
    return target.options + ("" if stack == DEFAULT_STACK else f" --stack {quote(stack)}")


def _ago(since: str | None) -> str:
    if since is None:
        return ""
    from datetime import UTC, datetime

    try:
        then = datetime.fromisoformat(since).replace(tzinfo=UTC)
    except ValueError:
        return ""
    minutes = int((datetime.now(UTC) - then).total_seconds() // 60)
    if minutes < 120:
        return f" ({max(minutes, 0)} minutes)"
    return f" ({minutes // 60} hours)" if minutes < 60 * 48 else f" ({minutes // 1440} days)"
