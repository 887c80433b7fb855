"""Says what `fleet up` would do to the tenants of an environment, and nothing is done.

Tenants whose inputs are those last applied are not looked at. The others' programs are planned
against their state by the pool; equal changes are shown once.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import uuid4

from pydantic import Field

from flowflare.fleet.pending import Pending, pending
from flowflare.fleet.preview.groups import Groups
from flowflare.fleet.records import Fingerprint, TenantRecord
from flowflare.fleet.workers.pool import Pool, Result, Task, TaskEvent
from flowflare.model.frozen import Frozen
from flowflare.review.document import make_schema
from flowflare.review.report import Report, ReportedCommit, make_report

if TYPE_CHECKING:
    from flowflare.fleet.session import Session

FORMAT: Final = 1
# What Cloudflare allows one token: fundamentals/api/reference/limits.
_CALLS_AT_ONCE: Final = 1200
_WINDOW: Final = 300
# Seconds of one call, and of one `up` beside its calls: round figures, not measurements.
_CALL: Final = 0.5
_UP: Final = 1.0


class FleetPreview(Frozen):
    """What `fleet up` would do.

    New keys may come within a format; none changes its meaning or goes.
    """

    format: Literal[1] = Field(description="Version of this document's form.")
    flowflare: str = Field(description="The release of Flowflare that made it.")
    project: str = Field(description="The Pulumi project's name.")
    environment: str = Field(description="The environment.")
    tenants: int = Field(description="How many tenants are meant.")
    report: Report = Field(
        description="The plans of the stacks that were looked at; `base` is null, `head` the files "
        "as they are."
    )
    same_inputs: tuple[str, ...] = Field(
        description="Stacks whose inputs are those last applied: not looked at, no call needed."
    )
    why: Mapping[str, str] = Field(
        description="For each stack that was looked at, why: `never applied`, `changed: "
        "configuration` and so on."
    )
    retired: tuple[str, ...] = Field(
        default=(),
        description="Stacks of tenants that are to be retired and are still there; `fleet up` "
        "takes them away when they are named with --retire.",
    )
    workers: int = Field(description="How many tenants are worked on at a time.")
    seconds: int = Field(
        description="How long `fleet up` takes at least, roughly: by its work, and by the calls "
        "that Cloudflare allows."
    )

    @property
    def stopped(self) -> int:
        """How many stacks an `up` would be refused in, by protection or by a policy."""
        refused = {
            stack for one in self.report.sections if one.refused_count for stack in one.stacks
        }
        judged = {
            stack for one in self.report.policy if one.severity == "error" for stack in one.stacks
        }
        return len(refused | judged)


def preview(
    session: "Session",
    *,
    again: bool = False,
    diff: bool = False,
    workers: int | None = None,
    on_event: Callable[[TaskEvent], None] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> FleetPreview:
    """Plans tenants.

    Args:
        session: which ones.
        again: whether those are planned, too, whose inputs are the ones last applied.
        diff: whether code and SQL are compared line by line.
        workers: how many at a time; None for what the machine allows.
        on_event: is told what programs print.
        on_progress: is told how many are planned, and of how many.

    Raises:
        FlowflareError: the state backend cannot be read, or Node or the workers do not run.
    """
    records = session.records.all()
    stacks = [session.stack(one) for one in session.standing]
    found = pending(session.root, stacks, records, session.environ)
    wanted = list(found.fingerprints) if again else list(found.stacks)
    groups, done, opened = Groups(), 0, set[str]()
    wants = {one: _sealed(found.fingerprints[one], records.get(one)) for one in wanted}

    def environ_of(stack: str) -> Mapping[str, str]:
        own = session.passphrases
        return own.environ_of(stack) if stack in opened else own.closed(stack)

    with Pool(session.root, environ_of, workers) as pool:
        for result in _planned(pool, wants, opened, on_event or _nobody):
            stack, done = result.task.stack, done + 1
            if result.ok:
                groups.add(stack, result.value)
            else:
                groups.fail(stack, "\n  ".join(filter(None, (result.error, result.remedy))))
            if on_progress is not None:
                on_progress(done, len(wanted))
    left = [
        session.stack(one)
        for one in session.tenants
        if one.status == "retired" and session.stands(one, records)
    ]
    return _document(session, found, groups, left, pool.workers, diff=diff)


def _planned(
    pool: Pool, wants: Mapping[str, str], opened: set[str], tell: Callable[[TaskEvent], None]
) -> Iterator[Result]:
    """Plans stacks, first without their secrets; then those that take them, which `opened` gets.

    A passphrase costs a quarter of a second of CPU to make a key of, or a command to ask for it.
    """
    run, said = uuid4().hex, dict[str, list[TaskEvent]]()

    def keep(event: TaskEvent) -> None:
        said.setdefault(event.task.stack, []).append(event)

    first = (Task("preview", one, {"run": run, "sealed": how}) for one, how in wants.items())
    for result in pool.run(first, keep):
        events = said.pop(result.task.stack, [])
        if not result.ok or "opens" in result.value:
            opened.add(result.task.stack)
            continue
        for event in events:
            tell(event)
        yield result
    yield from pool.run((Task("preview", one, {"run": run}) for one in sorted(opened)), tell)


def _sealed(now: Fingerprint, record: TenantRecord | None) -> str:
    """What a plan without secrets may take for granted: `same` secrets, or a `new` stack."""
    if record is None or record.outcome not in ("applied", "suspended") or record.elsewhere:
        return "new"
    before = record.fingerprint
    if before is None or before.unknown or now.unknown:
        return "new"
    parts = ("secrets", "program", "tool")
    same = all(now.parts.get(one) == before.parts.get(one, "") for one in parts)
    return "same" if same else "new"


def _nobody(event: TaskEvent) -> None:
    """Whom nobody listens to."""
    del event


def _document(
    session: "Session",
    found: Pending,
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
        groups.unchanged,
        policy=groups.policy(),
    )
    touched = sum(len(one.stacks) for one in report.sections if one.api_calls)
    planned = groups.seen
    return FleetPreview(
        format=FORMAT,
        flowflare=version("flowflare"),
        project=session.project,
        environment=session.environment.name,
        tenants=len(session.tenants),
        report=report,
        same_inputs=tuple(sorted(one for one in found.unchanged if one not in planned)),
        why={one: found.why.get(one, "asked for again") for one in sorted(planned)},
        retired=tuple(retired),
        workers=workers,
        seconds=rollout_seconds(report.api_calls, touched, workers),
    )


def rollout_seconds(calls: int, stacks: int, workers: int) -> int:
    """How long a rollout takes at least, roughly.

    Each `up` takes a second beside its calls, each call half a second; that many are worked on at
    a time. Cloudflare allows a token 1,200 calls in 5 minutes, so every further 1,200 take 5
    minutes at least.

    Args:
        calls: requests to Cloudflare's API in all.
        stacks: stacks that need any.
        workers: how many are worked on at a time.
    """
    work = (stacks * _UP + calls * _CALL) / min(workers, max(stacks, 1))
    waits = (calls - 1) // _CALLS_AT_ONCE * _WINDOW if calls else 0
    return math.ceil(max(work, waits))


def json_schema() -> dict[str, Any]:
    """The document's JSON Schema."""
    return make_schema(FleetPreview, "flowflare fleet preview --json")
