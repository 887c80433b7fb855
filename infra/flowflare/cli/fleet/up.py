"""`flowflare fleet up`: deploy the tenants of an environment, wave by wave."""

import os
from shlex import quote
from typing import Annotated

import httpx
import typer

from flowflare.cli.console import open_stderr, print_result
from flowflare.cli.fleet.display import Picture, describe_stop, show_rollout
from flowflare.cli.fleet.options import (
    EXPORTS,
    ChangedOption,
    EnvironmentOption,
    ExportsOption,
    ShardOption,
    TagOption,
    TenantsOption,
    WorkersOption,
    make_selection,
)
from flowflare.cli.fleet.running import (
    Stopwatch,
    make_budget_listener,
    make_ready,
    make_rules,
    refuse_left,
    stop_on_signal,
)
from flowflare.cli.options import JsonOption, ProjectOption, choose_project_root
from flowflare.errors import FleetError
from flowflare.fleet.pending import find_pending
from flowflare.fleet.rollout import events
from flowflare.fleet.rollout.events import Emit
from flowflare.fleet.rollout.health import Checker
from flowflare.fleet.rollout.plan import RolloutPlan, plan_rollout
from flowflare.fleet.rollout.retire import LeavingTenants, Removal, select_retired
from flowflare.fleet.rollout.rollout import Rollout, RolloutRules
from flowflare.fleet.rollout.unfinished import UnfinishedRollout
from flowflare.fleet.session import FleetSession, open_session
from flowflare.fleet.workers.workshop import Workshop, open_workshop

RetireOption = Annotated[
    list[str] | None,
    typer.Option(
        "--retire",
        metavar="NAME",
        help="Export and remove this tenant, which is retired in tenants.yaml.",
    ),
]
MaxFailuresOption = Annotated[
    int,
    typer.Option(
        "--max-failures",
        metavar="N",
        min=1,
        help="Stop after so many failed tenants. A failed canary always stops the rollout.",
    ),
]


def up(  # noqa: PLR0913, PLR0917 -- each is an option of the command
    environment: EnvironmentOption,
    tenants: TenantsOption = None,
    tag: TagOption = None,
    changed: ChangedOption = False,
    shard: ShardOption = None,
    retire: RetireOption = None,
    max_failures: MaxFailuresOption = 1,
    exports: ExportsOption = EXPORTS,
    workers: WorkersOption = None,
    cwd: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Deploy the tenants of an environment: a canary, then a share, then the rest.

    Skips tenants whose inputs have not changed since they were last applied, without an API call.
    Checks each tenant's health between waves. After a failure, begins no other tenant and lists
    where each is. Run the same command again to resume, even after a crash. Exits with 1 if any
    tenant differs from its configuration.

    Examples:

      flowflare fleet up -e prod

      flowflare fleet up -e prod --tag eu --workers 4

      flowflare fleet up -e prod --retire acme
    """
    root = choose_project_root(cwd)
    selection = make_selection(tenants, tag, shard, changed=changed)
    session = open_session(root, os.environ, environment, selection)
    records = session.records.read_all({session.stack(tenant) for tenant in session.tenants})
    leaving, left = select_retired(session, tuple(retire or ()), records, selection.tenants)
    stacks = [session.stack(tenant) for tenant in session.standing]
    say = open_stderr().print
    found = find_pending(session, stacks, records, os.environ, lambda text: say(text, markup=False))
    unfinished = UnfinishedRollout(session.store, session.project, environment, selection)
    plan = plan_rollout(
        session.standing,
        session.environment,
        found.fingerprints,
        records,
        unfinished.read_or_create_id(),
    )
    updated = [work.stack for work in plan.updates.values()]
    if session.store.is_remote:
        session.passphrases.refuse_made_here(updated)
    session.passphrases.refuse_missing([*updated, *leaving])
    make_ready(session, [*updated, *leaving])
    picture = Picture()
    with (
        show_rollout(picture, json=json) as emit,
        open_workshop(session, workers, make_budget_listener(picture, emit)) as shop,
    ):
        picture.workers, picture.budget = shop.workers.workers, shop.forwarder
        stopwatch = Stopwatch()
        calls = _roll(session, plan, unfinished, shop, emit, make_rules(max_failures))
        if leaving:
            calls += _retire(leaving, session, shop, emit, exports, stopwatch)
        emit(
            events.Done(
                rollout=plan.rollout if plan.waves else "",
                applied=len(plan.updates),
                unchanged=len(plan.unchanged) + len(plan.through),
                removed=len(leaving),
                left=left,
                api_calls=calls,
                seconds=stopwatch.read_seconds(),
            )
        )
    if not json:
        _print_done(plan, len(leaving), calls, stopwatch.read_seconds())
        _print_left(environment, left)


def _roll(
    session: FleetSession,
    plan: RolloutPlan,
    unfinished: UnfinishedRollout,
    shop: Workshop,
    emit: Emit,
    rules: RolloutRules,
) -> int:
    """Run the waves, and return the number of API calls.

    Raises:
        FleetError: a tenant differs from its configuration.
    """
    if not plan.waves:
        unfinished.end()
        return 0

    unfinished.begin(plan.rollout)
    with httpx.Client(timeout=10) as http:
        place = f"tenants.yaml: environments.{session.environment.name}.health.params"
        checker = Checker(http, session.environment.health, place=place)
        rollout = Rollout(plan, shop, session.records, checker, emit, rules)
        with stop_on_signal(rollout.stop):
            stopped = rollout.run()
    if stopped is not None:
        raise FleetError(describe_stop(stopped), remedy=stopped.remedy)
    unfinished.end()
    return rollout.api_calls


def _retire(
    leaving: LeavingTenants,
    session: FleetSession,
    shop: Workshop,
    emit: Emit,
    exports: str,
    stopwatch: Stopwatch,
) -> int:
    """Retire tenants after an export, and return the number of API calls.

    Raises:
        FleetError: a tenant could not be removed.
    """
    rules = make_rules()
    removal = Removal(shop, session.records, emit, rules, outcome="retired", exports=exports)
    removed = removal.run(leaving)
    refuse_left(removed, "retired", emit, stopwatch.read_seconds())
    return removed.api_calls


def _print_done(plan: RolloutPlan, removed: int, calls: int, seconds: float) -> None:
    untouched = len(plan.unchanged) + len(plan.through)
    if not plan.updates and not removed:
        print_result(f"Nothing to do: all {untouched} tenants are up to date.")
        return
    parts = [f"{len(plan.updates)} deployed", f"{untouched} unchanged"]
    parts += [f"{removed} retired"] if removed else []
    print_result(f"\nDone in {seconds:.1f} s: {', '.join(parts)}, {calls} calls to the API.")
    print_result(f"\nNext:  flowflare fleet status -e {quote(plan.environment)}")


def _print_left(environment: str, left: tuple[str, ...]) -> None:
    if left:
        options = " ".join(f"--retire {quote(name)}" for name in left)
        print_result(f"\nRetired in tenants.yaml, but not removed until named: {', '.join(left)}")
        print_result(f"  flowflare fleet up -e {quote(environment)} {options}")
