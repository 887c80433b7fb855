"""`flowflare fleet destroy`: takes the stacks of named tenants away, after an export."""

import os
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from flowflare.cli.fleet.options import EXPORTS, EnvironmentOption, ExportsOption, WorkersOption
from flowflare.cli.options import JsonOption, ProjectOption, project_root
from flowflare.errors import FleetError

if TYPE_CHECKING:
    from flowflare.fleet.session import FleetSession

TenantsOption = Annotated[
    str,
    typer.Option("--tenants", metavar="A,B", help="The tenants, by name.", show_default=False),
]
LoseDataOption = Annotated[
    str | None,
    typer.Option(
        "--lose-data",
        metavar="A,B",
        help="The same names again: what is in their databases is lost to them.",
        show_default=False,
    ),
]
NoExportOption = Annotated[bool, typer.Option("--no-export", help="Export no database before.")]


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
    """Destroy the stacks of tenants, each by name, after an export of their databases.

    Each tenant stands in --tenants and in --lose-data. Protection is lifted for their stacks alone.
    A tenant that tenants.yaml still wants comes back, empty, with the next `fleet up`; to take one
    away for good, retire it.

    Examples:

      flowflare fleet destroy -e prod --tenants acme,beta --lose-data acme,beta
    """
    from flowflare.cli.fleet.display import Picture, shown
    from flowflare.cli.fleet.options import names_of, selection_of
    from flowflare.cli.fleet.running import (
        Clock,
        budget_teller,
        make_ready,
        refuse_left,
        rules_of,
    )
    from flowflare.fleet.rollout import events
    from flowflare.fleet.rollout.retire import Removal, list_existing
    from flowflare.fleet.session import open_session
    from flowflare.fleet.workers.workshop import open_workshop

    named = names_of(tenants)
    if not named:
        raise typer.BadParameter("name the tenants: --tenants acme,beta")
    root = project_root(cwd)
    session = open_session(root, os.environ, environment, selection_of(tenants, None, None))
    _refuse_unnamed(session, named, names_of(lose_data))
    leaving = list_existing(session, session.tenants, session.records.read_all())
    make_ready(session, [one.stack for one in leaving])
    picture = Picture(total=len(leaving))
    with (
        shown(picture, json=json) as emit,
        open_workshop(session, workers, budget_teller(picture, emit)) as shop,
    ):
        picture.workers, picture.budget = shop.workers.workers, shop.forwarder
        clock = Clock()
        place = None if no_export else exports
        removal = Removal(
            shop, session.records, emit, rules_of(), outcome="destroyed", exports=place
        )
        removed = removal.run(leaving)
        refuse_left(removed, "destroyed", emit, clock.seconds())
        emit(
            events.Done(
                rollout="",
                applied=0,
                unchanged=len(named) - len(leaving),
                removed=len(removed.removed),
                api_calls=removed.api_calls,
                seconds=clock.seconds(),
            )
        )
    if not json:
        _tell_done(removed.removed, len(named) - len(leaving), clock.seconds())


def _refuse_unnamed(session: "FleetSession", named: tuple[str, ...], lost: tuple[str, ...]) -> None:
    stray = sorted(set(lost) - set(named))
    if stray:
        raise FleetError(f"--lose-data {','.join(stray)}: not in --tenants; nothing was destroyed")
    unnamed = [name for name in named if name not in lost]
    if unnamed:
        names = quote(",".join(named))
        raise FleetError(
            f"destroying {', '.join(unnamed)} in {session.environment.name} deletes their "
            "databases with all runs",
            remedy="Name them once more: flowflare fleet destroy "
            f"-e {quote(session.environment.name)} --tenants {names} --lose-data {names}",
        )


def _tell_done(gone: tuple[str, ...], before: int, seconds: float) -> None:
    from flowflare.cli.console import answers

    text = f"\nDone in {seconds:.1f} s: {len(gone)} destroyed"
    answers().print(f"{text}, {before} were gone before." if before else f"{text}.")
