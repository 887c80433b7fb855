"""Preview what `fleet up` would do to the tenants of an environment.

Tenants whose inputs have not changed are skipped. A pool of workers plans the programs of the
others against their state, and equal changes are reported once.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Final, Literal
from uuid import uuid4

from pydantic import Field

from flowflare.fleet.pending import PendingStacks, find_pending
from flowflare.fleet.preview.groups import Groups
from flowflare.fleet.records import Fingerprint, TenantRecord
from flowflare.fleet.session import FleetSession
from flowflare.fleet.workers.pool import Pool, Result, Task, TaskEvent
from flowflare.model.frozen import Frozen
from flowflare.review.report import Report, ReportedCommit, make_report

FORMAT: Final = 1
# Cloudflare's limit for one token: fundamentals/api/reference/limits.
_CALLS_PER_WINDOW: Final = 1200
_WINDOW: Final = 300
# Seconds for one call, and for one `up` without its calls: estimates, not measurements.
_CALL: Final = 0.5
_UP: Final = 1.0


class FleetPreview(Frozen):
    """What `fleet up` would do.

    New keys may be added within a format. Existing keys are not removed and keep their meaning.
    """

    format: Literal[1] = Field(description="The version of this document's format.")
    flowflare: str = Field(description="The release of Flowflare that made this document.")
    project: str = Field(description="The Pulumi project's name.")
    environment: str = Field(description="The environment.")
    tenants: int = Field(description="The number of selected tenants.")
    report: Report = Field(
        description="The plans of the planned stacks; `base` is null, `head` is the files as they "
        "are."
    )
    same_inputs: tuple[str, ...] = Field(
        description="Stacks that were skipped because their inputs have not changed."
    )
    why: Mapping[str, str] = Field(
        description="Why each planned stack was planned: `never applied`, `changed: "
        "configuration` and so on."
    )
    retired: tuple[str, ...] = Field(
        default=(),
        description="Stacks of retired tenants that still exist; `fleet up --retire` removes them.",
    )
    workers: int = Field(description="How many tenants are planned or deployed at a time.")
    seconds: int = Field(
        description="An estimate of the shortest time of `fleet up`, from its work and from "
        "Cloudflare's rate limit."
    )

    @property
    def refused_stacks(self) -> int:
        """The number of stacks that `up` would refuse, because of protection or a policy."""
        refused = {
            stack
            for section in self.report.sections
            if section.refused_count
            for stack in section.stacks
        }
        by_policy = {
            stack
            for finding in self.report.policy
            if finding.severity == "error"
            for stack in finding.stacks
        }
        return len(refused | by_policy)


def make_preview(
    session: FleetSession,
    *,
    again: bool = False,
    diff: bool = False,
    workers: int | None = None,
    on_event: Callable[[TaskEvent], None] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> FleetPreview:
    """Plan the selected tenants.

    Args:
        again: whether to plan tenants whose inputs have not changed, too.
        diff: whether to compare code and SQL line by line.
        workers: how many tenants at a time; None for the number that fits the machine.
        on_event: is called with the programs' output.
        on_progress: is called with the number of planned tenants and the total.

    Raises:
        FlowflareError: the state backend cannot be read, or Node or the workers do not run.
    """
    records = session.records.read_all()
    stacks = [session.stack(tenant) for tenant in session.standing]
    found = find_pending(session, stacks, records, session.environ)
    wanted = list(found.fingerprints) if again else list(found.stacks)
    groups, done, with_secrets = Groups(), 0, set[str]()
    modes = {stack: _seal_mode(found.fingerprints[stack], records.get(stack)) for stack in wanted}

    def environ_of(stack: str) -> Mapping[str, str]:
        own = session.passphrases
        return own.environ_of(stack) if stack in with_secrets else own.sealed_environ_of(stack)

    with Pool(session, environ_of, workers) as pool:
        for result in _plan(pool, modes, with_secrets, on_event or (lambda _: None)):
            stack, done = result.task.stack, done + 1
            if result.ok:
                groups.add(stack, result.value)
            else:
                groups.fail(stack, "\n  ".join(filter(None, (result.error, result.remedy))))
            if on_progress is not None:
                on_progress(done, len(wanted))
    retired = [
        session.stack(tenant)
        for tenant in session.tenants
        if tenant.status == "retired" and session.may_have_resources(tenant, records)
    ]
    return _make_document(session, found, groups, retired, pool.workers, diff=diff)


def _plan(
    pool: Pool,
    modes: Mapping[str, str],
    with_secrets: set[str],
    on_event: Callable[[TaskEvent], None],
) -> Iterator[Result]:
    """Plan stacks without their secrets, then repeat the stacks that need them.

    Reading a passphrase may run a command, and deriving a key from it takes a quarter of a second
    of CPU.

    Args:
        modes: the mode of each stack's plan without secrets, from `_seal_mode`.
        with_secrets: gains the stacks that are planned with their secrets.
        on_event: is called with the programs' output.
    """
    run, buffered = uuid4().hex, dict[str, list[TaskEvent]]()

    def buffer(event: TaskEvent) -> None:
        buffered.setdefault(event.task.stack, []).append(event)

    tasks = (Task("preview", stack, {"run": run, "sealed": mode}) for stack, mode in modes.items())
    for result in pool.run(tasks, buffer):
        events = buffered.pop(result.task.stack, [])
        if not result.ok or "opens" in result.value:
            with_secrets.add(result.task.stack)
            continue
        for event in events:
            on_event(event)
        yield result
    repeated = (Task("preview", stack, {"run": run}) for stack in sorted(with_secrets))
    yield from pool.run(repeated, on_event)


def _seal_mode(now: Fingerprint, record: TenantRecord | None) -> str:
    """Return what a plan without secrets may assume: the `same` secrets, or a `new` stack."""
    if record is None or record.outcome not in ("applied", "suspended") or record.elsewhere:
        return "new"
    before = record.fingerprint
    if before is None or before.unknown or now.unknown:
        return "new"
    parts = ("secrets", "program", "tool")
    same = all(now.parts.get(part) == before.parts.get(part, "") for part in parts)
    return "same" if same else "new"


def _make_document(
    session: FleetSession,
    found: PendingStacks,
    groups: Groups,
    retired: Sequence[str],
    workers: int,
    *,
    diff: bool,
) -> FleetPreview:
    report = make_report(
        session.project,
        None,
        ReportedCommit(name=f"the files of {session.environment.name}", sha="", subject=""),
        groups.sections(diff=diff),
        groups.unchanged_stacks,
        policy=groups.policy(),
    )
    touched = sum(len(section.stacks) for section in report.sections if section.api_calls)
    planned = groups.stacks
    return FleetPreview(
        format=FORMAT,
        flowflare=version("flowflare"),
        project=session.project,
        environment=session.environment.name,
        tenants=len(session.tenants),
        report=report,
        same_inputs=tuple(sorted(stack for stack in found.unchanged if stack not in planned)),
        why={stack: found.why.get(stack, "requested with --again") for stack in sorted(planned)},
        retired=tuple(retired),
        workers=workers,
        seconds=estimate_seconds(report.api_calls, touched, workers),
    )


def estimate_seconds(calls: int, stacks: int, workers: int) -> int:
    """Estimate the shortest time of a rollout.

    Each `up` takes a second, and half a second for each of its calls. Cloudflare allows a token
    1,200 calls in 5 minutes, so every further 1,200 calls take at least 5 minutes.

    Args:
        calls: all requests to Cloudflare's API.
        stacks: the number of stacks that make requests.
        workers: how many stacks are deployed at a time.
    """
    work = (stacks * _UP + calls * _CALL) / min(workers, max(stacks, 1))
    waits = (calls - 1) // _CALLS_PER_WINDOW * _WINDOW if calls else 0
    return math.ceil(max(work, waits))
