"""`flowflare fleet up`: brings the tenants of an environment up, wave by wave."""

import os
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from flowflare.cli.fleet.options import (
    EXPORTS,
    ChangedOption,
    EnvironmentOption,
    ExportsOption,
    ShardOption,
    TagOption,
    TenantsOption,
    WorkersOption,
)
from flowflare.cli.options import JsonOption, ProjectOption, project_root
from flowflare.errors import FleetError

if TYPE_CHECKING:
    from flowflare.cli.fleet.running import Clock
    from flowflare.fleet.rollout.events import Emit
    from flowflare.fleet.rollout.plan import RolloutPlan
    from flowflare.fleet.rollout.retire import LeavingTenant
    from flowflare.fleet.rollout.rollout import RolloutRules
    from flowflare.fleet.rollout.unfinished import UnfinishedRollout
    from flowflare.fleet.session import FleetSession
    from flowflare.fleet.workers.workshop import Workshop

RetireOption = Annotated[
    list[str] | None,
    typer.Option(
        "--retire",
        metavar="NAME",
        help="Export and take away this tenant, which tenants.yaml says is retired.",
        show_default=False,
    ),
]
MaxFailuresOption = Annotated[
    int,
    typer.Option(
        "--max-failures",
        metavar="N",
        min=1,
        help="Begin no other tenant after so many that failed. One canary is always enough.",
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
    """Bring the tenants of an environment up: a canary, then a share, then the rest.

    Tenants whose inputs are those last applied are left alone, without a call. Between waves each
    tenant is asked whether it is healthy. After a failure no other tenant is begun, and it is said
    who is where; the same command goes on, also after a kill. Exit code 1 when somebody is not as
    the files say.

    Examples:

      flowflare fleet up -e prod

      flowflare fleet up -e prod --tag eu --workers 4

      flowflare fleet up -e prod --retire acme
    """
    from flowflare.cli.console import messages
    from flowflare.cli.fleet.display import Picture, shown
    from flowflare.cli.fleet.options import selection_of
    from flowflare.cli.fleet.running import Clock, budget_teller, make_ready, rules_of
    from flowflare.fleet.pending import find_pending
    from flowflare.fleet.rollout import events
    from flowflare.fleet.rollout.plan import plan_rollout
    from flowflare.fleet.rollout.retire import select_retired
    from flowflare.fleet.rollout.unfinished import UnfinishedRollout
    from flowflare.fleet.session import open_session
    from flowflare.fleet.workers.workshop import open_workshop

    root = project_root(cwd)
    selection = selection_of(tenants, tag, shard, changed=changed)
    session = open_session(root, os.environ, environment, selection)
    records = session.records.read_all({session.stack(one) for one in session.tenants})
    leaving, left = select_retired(session, tuple(retire or ()), records, selection.tenants)
    stacks = [session.stack(one) for one in session.standing]
    say = messages().print
    found = find_pending(root, stacks, records, os.environ, lambda text: say(text, markup=False))
    unfinished = UnfinishedRollout(session.store, session.project, environment, selection)
    plan = plan_rollout(
        session.standing,
        session.environment,
        found.fingerprints,
        records,
        unfinished.read_or_create_id(),
    )
    works = [work.stack for work in plan.updates.values()]
    if session.store.is_remote:
        session.passphrases.refuse_made_here(works)
    make_ready(session, [*works, *(one.stack for one in leaving)])
    picture = Picture()
    with (
        shown(picture, json=json) as emit,
        open_workshop(session, workers, budget_teller(picture, emit)) as shop,
    ):
        picture.workers, picture.budget = shop.workers.workers, shop.forwarder
        clock = Clock()
        calls = _roll(session, plan, unfinished, shop, emit, rules_of(max_failures))
        if leaving:
            calls += _retire(leaving, session, shop, emit, exports, clock)
        emit(
            events.Done(
                rollout=plan.rollout if plan.waves else "",
                applied=len(plan.updates),
                unchanged=len(plan.unchanged) + len(plan.through),
                removed=len(leaving),
                left=left,
                api_calls=calls,
                seconds=clock.seconds(),
            )
        )
    if not json:
        _tell_done(plan, len(leaving), calls, clock.seconds())
        _tell_left(environment, left)


def _roll(
    session: "FleetSession",
    plan: "RolloutPlan",
    unfinished: "UnfinishedRollout",
    shop: "Workshop",
    emit: "Emit",
    rules: "RolloutRules",
) -> int:
    """Runs the waves; how many calls they took.

    Raises:
        FleetError: somebody is not as the files say.
    """
    if not plan.waves:
        unfinished.end()
        return 0
    import httpx

    from flowflare.cli.fleet.display import picture_of
    from flowflare.cli.fleet.running import stopping
    from flowflare.fleet.rollout.health import Checker
    from flowflare.fleet.rollout.rollout import Rollout

    unfinished.begin(plan.rollout)
    with httpx.Client(timeout=10) as http:
        place = f"tenants.yaml: environments.{session.environment.name}.health.params"
        checker = Checker(http, session.environment.health, place=place)
        rollout = Rollout(plan, shop, session.records, checker, emit, rules)
        with stopping(rollout.stop):
            stopped = rollout.run()
    if stopped is not None:
        raise FleetError(picture_of(stopped), remedy=stopped.remedy)
    unfinished.end()
    return rollout.api_calls


def _retire(
    leaving: "tuple[LeavingTenant, ...]",
    session: "FleetSession",
    shop: "Workshop",
    emit: "Emit",
    exports: str,
    clock: "Clock",
) -> int:
    """Takes tenants away after an export; how many calls it took.

    Raises:
        FleetError: somebody could not be taken away.
    """
    from flowflare.cli.fleet.running import refuse_left, rules_of
    from flowflare.fleet.rollout.retire import Removal

    rules = rules_of()
    removal = Removal(shop, session.records, emit, rules, outcome="retired", exports=exports)
    removed = removal.run(leaving)
    refuse_left(removed, "retired", emit, clock.seconds())
    return removed.api_calls


def _tell_done(plan: "RolloutPlan", removed: int, calls: int, seconds: float) -> None:
    from flowflare.cli.console import answers

    untouched = len(plan.unchanged) + len(plan.through)
    if not plan.updates and not removed:
        answers().print(f"Nothing to do: all {untouched} tenants are as they should be.")
        return
    parts = [f"{len(plan.updates)} brought up", f"{untouched} as they were"]
    parts += [f"{removed} retired"] if removed else []
    answers().print(f"\nDone in {seconds:.1f} s: {', '.join(parts)}, {calls} calls to the API.")
    answers().print(f"\nNext:  flowflare fleet status -e {quote(plan.environment)}", markup=False)


def _tell_left(environment: str, left: tuple[str, ...]) -> None:
    from flowflare.cli.console import answers

    if left:
        options = " ".join(f"--retire {quote(name)}" for name in left)
        answers().print(f"\nRetired in the file, and left alone until named: {', '.join(left)}")
        answers().print(f"  flowflare fleet up -e {quote(environment)} {options}", markup=False)
