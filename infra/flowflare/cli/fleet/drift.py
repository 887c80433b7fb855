"""`flowflare fleet drift`: compares the state of an environment's stacks with their accounts."""

import os

from flowflare.cli.allow_unknown import read_allowed
from flowflare.cli.console import open_stderr, print_json, print_lines
from flowflare.cli.drift import (
    STYLES,
    AllowUnknownOption,
    ExitCodeOption,
    end,
    refuse_needless,
)
from flowflare.cli.fleet.options import (
    EnvironmentOption,
    ShardOption,
    TagOption,
    TenantsOption,
    WorkersOption,
    make_selection,
)
from flowflare.cli.fleet.running import make_ready
from flowflare.cli.options import JsonOption, ProjectOption, choose_project_root
from flowflare.fleet.preview.drift import compare_stacks, format_drift
from flowflare.fleet.session import open_session
from flowflare.fleet.workers.workshop import open_workshop


def drift(  # noqa: PLR0913, PLR0917 -- a command's parameters are its options
    environment: EnvironmentOption,
    tenants: TenantsOption = None,
    tag: TagOption = None,
    shard: ShardOption = None,
    exit_code: ExitCodeOption = False,
    allow_unknown: AllowUnknownOption = None,
    workers: WorkersOption = None,
    cwd: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Compare the state of tenants with their account: what has changed, is missing or was added.

    Only reads. Exits with 1 if something could not be compared. Stacks with the same drift are
    reported together; the JSON lists each. `flowflare schema drift` prints its schema.

    Examples:

      flowflare fleet drift -e prod

      flowflare fleet drift -e prod --shard 1/4 --exit-code --json
    """
    allowed = read_allowed(allow_unknown or (), "NAME")
    selection = make_selection(tenants, tag, shard)
    session = open_session(choose_project_root(cwd), os.environ, environment, selection)
    records = session.records.read_all()
    stacks = [
        session.stack(tenant)
        for tenant in session.tenants
        if session.may_have_resources(tenant, records)
    ]
    make_ready(session, stacks)
    with (
        open_stderr().status("Reading the account") as status,
        open_workshop(session, workers) as shop,
    ):
        found = compare_stacks(
            session,
            shop,
            stacks,
            lambda done: status.update(f"Reading the account: {done:,} of {len(stacks):,}"),
            allowed=allowed,
        )
    refuse_needless(found.document, allowed)
    if json:
        print_json(found.document.model_dump(mode="json"))
    else:
        print_lines(format_drift(found), STYLES)
    end(found.document, exit_code=exit_code)
