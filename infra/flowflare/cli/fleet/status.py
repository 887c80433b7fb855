"""`flowflare fleet status`: show the state of each tenant of an environment."""

import os
from collections.abc import Iterable, Iterator
from itertools import groupby
from shlex import quote
from typing import Annotated

import typer

from flowflare.cli.console import open_stderr, open_stdout, print_json
from flowflare.cli.fleet.options import (
    ChangedOption,
    EnvironmentOption,
    ShardOption,
    TagOption,
    TenantsOption,
    make_selection,
)
from flowflare.cli.options import JsonOption, ProjectOption, choose_project_root
from flowflare.fleet.session import open_session
from flowflare.fleet.status import SETTLED, FleetStatus, TenantStatus, make_document, read_status
from flowflare.values.wording import write_count

_FEW = 20
_WIDEST = 70
_WORDS = {
    "failed": "failed",
    "unhealthy": "not healthy",
    "interrupted": "interrupted",
    "running": "running",
    "leaving": "to be retired",
    "unlisted": "no longer in tenants.yaml",
    "changed": "changed since it was applied",
    "never": "never applied",
    "suspended": "suspended",
    "applied": "up to date",
    "retired": "retired",
}
_STYLES = {"failed": "red", "unhealthy": "red", "interrupted": "yellow", "running": "green"}


def status(  # noqa: PLR0913, PLR0917 -- a command's parameters are its options
    environment: EnvironmentOption,
    tenants: TenantsOption = None,
    tag: TagOption = None,
    changed: ChangedOption = False,
    shard: ShardOption = None,
    every_tenant: Annotated[
        bool, typer.Option("--all", help="List every tenant, including those that are up to date.")
    ] = False,
    cwd: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Show each tenant's state: applied, changed, failed, running and by whom. Calls no API.

    Examples:

      flowflare fleet status -e prod

      flowflare fleet status -e prod --json | jq '.tenants[] | select(.state == "failed")'
    """
    selection = make_selection(tenants, tag, shard, changed=changed)
    with open_stderr().status("Reading the fleet"):
        session = open_session(
            choose_project_root(cwd), os.environ, environment, selection, files=False
        )
        found = read_status(session, all_tenants=not (tenants or tag or shard))
    if changed:
        found = make_document(
            session, [tenant for tenant in found.tenants if tenant.state not in SETTLED]
        )
    if json:
        print_json(found.model_dump(mode="json"))
    else:
        _show(found, every_tenant=every_tenant)


def _show(found: FleetStatus, *, every_tenant: bool) -> None:
    console = open_stdout()
    tenants = write_count(len(found.tenants), "tenant")
    console.print(f"{found.project}: {tenants} in {found.environment}", style="bold", markup=False)
    for state, count in found.counts.items():
        console.print(f"  {count:>6,}  {_WORDS[state]}", style=_STYLES.get(state), markup=False)
    shown = [tenant for tenant in found.tenants if every_tenant or tenant.state not in SETTLED]
    if shown:
        console.print()
    for line in _table(shown, every_tenant=every_tenant):
        console.print(line, markup=False)
    if any(tenant.state not in SETTLED for tenant in found.tenants):
        console.print(
            f"\nNext:  flowflare fleet preview -e {quote(found.environment)}", markup=False
        )


def _table(tenants: list[TenantStatus], *, every_tenant: bool) -> Iterator[str]:
    """List a line for each tenant; of many in one state, the first and the number of the rest."""
    if not tenants:
        return
    width = max(6, *(len(tenant.tenant) for tenant in tenants))
    yield f"{'TENANT':<{width}}  {'STATE':<11}  {'RELEASE':<8}  {'LAST RUN':<20}  CALLS"
    for _, group in groupby(tenants, lambda tenant: tenant.state):
        alike = list(group)
        shown = alike if every_tenant else alike[:_FEW]
        yield from _lines(shown, width)
        if len(alike) > len(shown):
            yield f"... and {len(alike) - len(shown):,} more: --all lists them"


def _lines(tenants: Iterable[TenantStatus], width: int) -> Iterator[str]:
    for tenant in tenants:
        calls = f"{tenant.api_calls:,}" if tenant.at else ""
        why = f"by {tenant.by}" if tenant.by else tenant.why
        why = why if len(why) <= _WIDEST else f"{why[:_WIDEST]}..."
        row = f"{tenant.tenant:<{width}}  {tenant.state:<11}  {tenant.release:<8}"
        yield f"{row}  {tenant.at[:19]:<20}  {calls:>5}  {why}".rstrip()
