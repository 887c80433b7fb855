"""`flowflare fleet status`: says of each tenant of an environment where it is."""

import os
from collections.abc import Iterable, Iterator
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from flowflare.cli.fleet.options import (
    ChangedOption,
    EnvironmentOption,
    ShardOption,
    TagOption,
    TenantsOption,
    selection_of,
)
from flowflare.cli.options import JsonOption, ProjectOption, project_root

if TYPE_CHECKING:
    from flowflare.fleet.status import FleetStatus, TenantStatus

_FEW = 20
_WIDEST = 70
_WORDS = {
    "failed": "failed",
    "unhealthy": "not healthy",
    "interrupted": "interrupted",
    "running": "running",
    "leaving": "to be retired",
    "unlisted": "not in tenants.yaml any more",
    "changed": "changed since it was applied",
    "never": "never applied",
    "suspended": "suspended",
    "applied": "as it should be",
    "retired": "retired",
}
_STYLES = {"failed": "red", "unhealthy": "red", "interrupted": "yellow", "running": "green"}


def status(  # noqa: PLR0913, PLR0917 -- a command's parameters are its options
    environment: EnvironmentOption,
    tenants: TenantsOption = None,
    tag: TagOption = None,
    changed: ChangedOption = False,
    shard: ShardOption = None,
    everybody: Annotated[
        bool, typer.Option("--all", help="Name every tenant, also those as they should be.")
    ] = False,
    cwd: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Say who is where: applied, changed, failed, running and by whom; nobody is called.

    Examples:

      flowflare fleet status -e prod

      flowflare fleet status -e prod --json | jq '.tenants[] | select(.state == "failed")'
    """
    from flowflare.cli.console import messages, print_json
    from flowflare.fleet.session import open_session
    from flowflare.fleet.status import SETTLED, make_document, read_status

    selection = selection_of(tenants, tag, shard, changed=changed)
    with messages().status("Reading the fleet"):
        session = open_session(project_root(cwd), os.environ, environment, selection, files=False)
        found = read_status(session, all_tenants=not (tenants or tag or shard))
    if changed:
        found = make_document(session, [one for one in found.tenants if one.state not in SETTLED])
    if json:
        print_json(found.model_dump(mode="json"))
    else:
        _show(found, everybody=everybody)


def _show(found: "FleetStatus", *, everybody: bool) -> None:
    from flowflare.cli.console import answers
    from flowflare.fleet.status import SETTLED

    console = answers()
    total = len(found.tenants)
    tenants = "1 tenant" if total == 1 else f"{total:,} tenants"
    console.print(f"{found.project}: {tenants} in {found.environment}", style="bold", markup=False)
    for state, count in found.counts.items():
        console.print(f"  {count:>6,}  {_WORDS[state]}", style=_STYLES.get(state), markup=False)
    shown = [one for one in found.tenants if everybody or one.state not in SETTLED]
    if shown:
        console.print()
    for line in _table(shown, everybody=everybody):
        console.print(line, markup=False)
    if any(one.state not in SETTLED for one in found.tenants):
        console.print(
            f"\nNext:  flowflare fleet preview -e {quote(found.environment)}", markup=False
        )


def _table(tenants: "list[TenantStatus]", *, everybody: bool) -> Iterator[str]:
    """A line for each tenant; of many in one state the first ones, and how many more."""
    from itertools import groupby

    if not tenants:
        return
    width = max(6, *(len(one.tenant) for one in tenants))
    yield f"{'TENANT':<{width}}  {'STATE':<11}  {'RELEASE':<8}  {'LAST RUN':<20}  CALLS"
    for _, group in groupby(tenants, lambda one: one.state):
        alike = list(group)
        shown = alike if everybody else alike[:_FEW]
        yield from _lines(shown, width)
        if len(alike) > len(shown):
            yield f"... and {len(alike) - len(shown):,} more: --all names them"


def _lines(tenants: "Iterable[TenantStatus]", width: int) -> Iterator[str]:
    for one in tenants:
        calls = f"{one.api_calls:,}" if one.at else ""
        why = f"by {one.by}" if one.by else one.why
        why = why if len(why) <= _WIDEST else f"{why[:_WIDEST]}..."
        row = f"{one.tenant:<{width}}  {one.state:<11}  {one.release:<8}  {one.at[:19]:<20}"
        yield f"{row}  {calls:>5}  {why}".rstrip()
