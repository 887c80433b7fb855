"""`flowflare fleet destroy`: destroy the stacks of named tenants, after an export."""

import os
from shlex import quote
from typing import Annotated

import typer

from flowflare.cli.console import print_result
from flowflare.cli.fleet.display import Picture, show_rollout
from flowflare.cli.fleet.options import (
    EXPORTS,
    EnvironmentOption,
    ExportsOption,
    WorkersOption,
    make_selection,
    parse_names,
)
from flowflare.cli.fleet.running import (
    Stopwatch,
    make_budget_listener,
    make_ready,
    make_rules,
    refuse_left,
)
from flowflare.cli.options import JsonOption, ProjectOption, choose_project_root
from flowflare.errors import FleetError
from flowflare.fleet.rollout import events
from flowflare.fleet.rollout.retire import Removal, list_existing
from flowflare.fleet.session import FleetSession, open_session
from flowflare.fleet.workers.workshop import open_workshop

TenantsOption = Annotated[
    str,
    typer.Option("--tenants", metavar="A,B", help="The tenants, by name."),
]
LoseDataOption = Annotated[
    str | None,
    typer.Option(
        "--lose-data",
        metavar="A,B",
        help="The same names again, to confirm that their data is lost.",
    ),
]
NoExportOption = Annotated[
    bool, typer.Option("--no-export", help="Do not export the databases first.")
]


def destroy(  # noqa: PLR0913, PLR0917 -- each is an option of the command
    environment: EnvironmentOption,
    tenants: TenantsOption,
    lose_data: LoseDataOption = None,
    no_export: NoExportOption = False,
    exports: ExportsOption = EXPORTS,
    workers: WorkersOption = None,
    cwd: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Destroy the stacks of named tenants, after an export of their databases.

    Name each tenant in --tenants and in --lose-data. Protection is lifted for their stacks only.
    The next `fleet up` creates a tenant again, empty, if tenants.yaml still lists it as active; to
    remove it for good, retire it.

    Examples:

      flowflare fleet destroy -e prod --tenants acme,beta --lose-data acme,beta
    """
    named = parse_names(tenants)
    if not named:
        raise typer.BadParameter("name the tenants: --tenants acme,beta")
    root = choose_project_root(cwd)
    session = open_session(root, os.environ, environment, make_selection(tenants, None, None))
    _refuse_unnamed(session, named, parse_names(lose_data))
    leaving = list_existing(session, session.tenants, session.records.read_all())
    make_ready(session, list(leaving))
    picture = Picture(total=len(leaving))
    with (
        show_rollout(picture, json=json) as emit,
        open_workshop(session, workers, make_budget_listener(picture, emit)) as shop,
    ):
        picture.workers, picture.budget = shop.workers.workers, shop.forwarder
        stopwatch = Stopwatch()
        place = None if no_export else exports
        removal = Removal(
            shop, session.records, emit, make_rules(), outcome="destroyed", exports=place
        )
        removed = removal.run(leaving)
        refuse_left(removed, "destroyed", emit, stopwatch.read_seconds())
        emit(
            events.Done(
                rollout="",
                applied=0,
                unchanged=len(named) - len(leaving),
                removed=len(removed.removed),
                api_calls=removed.api_calls,
                seconds=stopwatch.read_seconds(),
            )
        )
    if not json:
        _print_done(removed.removed, len(named) - len(leaving), stopwatch.read_seconds())


def _refuse_unnamed(session: FleetSession, named: tuple[str, ...], lost: tuple[str, ...]) -> None:
    stray = sorted(set(lost) - set(named))
    if stray:
        raise FleetError(f"--lose-data {','.join(stray)}: not in --tenants; nothing was destroyed")
    unnamed = [name for name in named if name not in lost]
    if unnamed:
        names = quote(",".join(named))
        raise FleetError(
            f"destroying {', '.join(unnamed)} in {session.environment.name} deletes their "
            "databases with all runs",
            remedy="Name them again to confirm: flowflare fleet destroy "
            f"-e {quote(session.environment.name)} --tenants {names} --lose-data {names}",
        )


def _print_done(destroyed: tuple[str, ...], before: int, seconds: float) -> None:
    text = f"\nDone in {seconds:.1f} s: {len(destroyed)} destroyed"
    print_result(f"{text}, {before} did not exist." if before else f"{text}.")
