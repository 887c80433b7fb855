"""`flowflare fleet secrets rotate`: deploy new API keys to all tenants of an environment."""

import os
from shlex import quote
from typing import Annotated

import typer

from flowflare.cli.console import print_message, print_result
from flowflare.cli.fleet.options import EnvironmentOption, WorkersOption
from flowflare.cli.fleet.up import up
from flowflare.cli.options import JsonOption, ProjectOption, choose_project_root
from flowflare.errors import FleetError
from flowflare.fleet.pending import find_pending
from flowflare.fleet.rotation import is_begun, plan_steps, write_keys
from flowflare.fleet.session import FleetSession, open_session
from flowflare.fleet.tenants.files import refuse_outdated, stack_files
from flowflare.fleet.tenants.selection import Selection


def rotate(
    environment: EnvironmentOption,
    finish: Annotated[
        bool,
        typer.Option(
            "--finish",
            help="Remove the old keys, once callers outside the fleet have the new ones.",
        ),
    ] = False,
    preview: Annotated[
        bool, typer.Option("--preview", help="Show what would be written and run, and do nothing.")
    ] = False,
    workers: WorkersOption = None,
    cwd: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Deploy a new API key to every tenant's service, then to its clients; --finish drops the old.

    Each step writes two keys of tenants.yaml and the stacks' files, and runs `fleet up` in waves
    with health checks. Run the same command again to resume, even after a crash.

    Examples:

      flowflare fleet secrets rotate -e prod

      flowflare fleet secrets rotate -e prod --finish
    """
    root = choose_project_root(cwd)
    session = open_session(root, os.environ, environment, Selection(), files=False)
    planned = plan_steps(session, finish=finish)
    if planned and planned[0].kind == "accept" and not is_begun(session, planned[0]):
        _require_nothing_else(session)
    for step in planned:
        print_message(f"Step {step.number} of 3: {step.title}")
        print_message(f"  {step.keys}", style="dim")
        if not preview:
            write_keys(session, step.keys)
            up(environment=environment, workers=workers, cwd=root, json=json)
    if not planned:
        _require_nothing_else(session)
        print_message("There is no old key to remove.")
    command = f"flowflare fleet secrets rotate -e {quote(environment)}"
    if preview:
        print_message(f"\nNext:  {command}{' --finish' if finish else ''}")
    elif not finish and not json:
        print_result(
            "\nGive callers outside the fleet their new keys (flowflare outputs --show-secrets).\n"
            f"\nNext:  {command} --finish"
        )


def _require_nothing_else(session: FleetSession) -> None:
    """Refuse to begin while other changes are not deployed, which the rotation would carry along.

    Raises:
        FleetError: a stack's file is outdated, or a tenant is not deployed as its files say.
    """
    environment = session.environment.name
    refuse_outdated(stack_files(session.fleet, environment))
    stacks = [session.stack(tenant) for tenant in session.standing]
    records = session.records.read_all(set(stacks))
    pending = find_pending(session, stacks, records, os.environ).stacks
    if pending:
        more = f" and {len(pending) - 5} more" if len(pending) > 5 else ""
        raise FleetError(
            f"changes of {', '.join(pending[:5])}{more} are not deployed",
            remedy="Deploy them, or a rotation would carry them along: flowflare fleet up -e "
            + quote(environment),
        )
