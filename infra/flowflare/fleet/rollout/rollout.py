"""Brings tenants up wave by wave, with health checks, and knows at every moment who is where.

Before work on a tenant begins, its record says `running`; when it is known how it ended, the record
says that. A rollout that was killed at any moment is run again and finds out from the records.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal, Protocol

from flowflare.fleet.records import Outcome, TenantRecord
from flowflare.fleet.rollout import events
from flowflare.fleet.rollout.events import Emit, FleetEvent
from flowflare.fleet.rollout.health import Checker, Endpoints
from flowflare.fleet.rollout.plan import RolloutPlan, Work
from flowflare.fleet.rollout.waves import Wave
from flowflare.fleet.workers.pool import OnTaskEvent, Result, Task, TaskEvent

# Checks wait for answers; they cost a thread each and hardly any work.
_CHECKS_AT_ONCE: Final = 16
#: Seconds that the last call of a killed run is waited for, which still holds a stack.
WAIT: Final = 100


class Runner(Protocol):
    """What does tasks: the pool of workers."""

    def run(self, tasks: Iterable[Task], on_event: OnTaskEvent | None = None) -> Iterator[Result]:
        """Does tasks, taken one by one; see `Pool`."""

    def stop(self) -> None:
        """Hands out no more tasks."""


class Writer(Protocol):
    """Where outcomes are kept."""

    def claim(self, record: TenantRecord) -> TenantRecord | None:
        """Writes that work begins, or gives the record of another run that came first."""

    def release(self, stack: str) -> None:
        """Takes a claim back."""

    def write(self, record: TenantRecord) -> None:
        """Writes a stack's record over the one before."""


@dataclass(frozen=True)
class Rules:
    """How a rollout is run.

    Attributes:
        max_failures: after so many failed or unhealthy tenants no other one is begun. One in the
            canary's wave is always enough.
        command: what to run to go on, for the remedy.
        release: the release of Flowflare, for the records.
        now: the time.
        clock: seconds, for how long things take.
    """

    max_failures: int = 1
    command: str = "the same command"
    release: str = ""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    clock: Callable[[], float] = time.monotonic


@dataclass
class _Progress:
    done: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    unhealthy: list[str] = field(default_factory=list)
    running: list[str] = field(default_factory=list)
    api_calls: int = 0

    @property
    def failures(self) -> int:
        return len(self.failed) + len(self.unhealthy)


class Rollout:
    """One rollout; `stop` may be called from anywhere while it runs.

    Args:
        plan: what there is to do.
        runner: what does it.
        records: where outcomes are kept.
        checker: who asks tenants whether they are well.
        emit: is told what happens, one event at a time.
        rules: how it is run.
    """

    def __init__(
        self,
        plan: RolloutPlan,
        runner: Runner,
        records: Writer,
        checker: Checker,
        emit: Emit,
        rules: Rules,
    ) -> None:
        self._plan = plan
        self._runner = runner
        self._records = records
        self._checker = checker
        self._emit_one = emit
        self._rules = rules
        self._lock = threading.RLock()
        self._progress = _Progress()
        self._works = {work.stack: work for work in plan.works.values()}
        self._wells: dict[str, Endpoints] = {}
        self._wave: Wave | None = None
        self._stopped = ""

    def stop(self, reason: str) -> None:
        """Begins with no other tenant; those that run come to their end."""
        with self._lock:
            self._stopped = self._stopped or reason
        self._runner.stop()

    @property
    def where(self) -> events.Where:
        """Who is where now."""
        with self._lock:
            now = self._progress
            known = {*now.done, *now.failed, *now.unhealthy, *now.running}
            before = {*self._plan.through, *self._plan.unchanged}
            return events.Where(
                done=tuple(sorted({*now.done, *before})),
                failed=tuple(now.failed),
                unhealthy=tuple(now.unhealthy),
                running=tuple(now.running),
                waiting=tuple(sorted(self._plan.works.keys() - known)),
            )

    @property
    def api_calls(self) -> int:
        """How many calls to the API it has taken so far."""
        return self._progress.api_calls

    def run(self) -> events.Stopped | None:
        """Brings everybody up.

        Returns:
            None where everybody is as they should be; else the last event, which says who is not.
        """
        begun, plan = self._rules.clock(), self._plan
        self._emit(
            events.RolloutBegan(
                rollout=plan.rollout,
                environment=plan.environment,
                resumed=plan.resumed,
                unchanged=len(plan.unchanged),
                through=len(plan.through),
                waves=tuple(wave.tenants for wave in plan.waves),
            )
        )
        with ThreadPoolExecutor(_CHECKS_AT_ONCE, thread_name_prefix="health") as checks:
            for wave in plan.waves:
                self._run_wave(wave, checks)
                if self._stopped:
                    break
        if not self._stopped and not self._progress.failures:
            return None
        end = self._end(self._rules.clock() - begun)
        self._emit(end)
        return end

    # ----------------------------------------------------------------------------------------------

    def _run_wave(self, wave: Wave, checks: ThreadPoolExecutor) -> None:
        self._wave = wave
        self._emit(events.WaveBegan(wave=wave.number, of=wave.of, tenants=wave.tenants))
        since = written(self._rules.now())
        waiting: list[Future[None]] = []
        for result in self._runner.run(self._tasks(wave), self._tell):
            work = self._works[result.task.stack]
            if result.ok:
                waiting.append(checks.submit(self._examine_one, work, result, since))
            else:
                self._fail(work, result, "failed", result.error, result.remedy)
        for one in waiting:
            one.result()
        if not self._stopped:
            list(checks.map(lambda name: self._look_again(name, since), wave.tenants))

    def _tasks(self, wave: Wave) -> Iterator[Task]:
        """The wave's tasks; each is asked for when a worker is free, and recorded before."""
        for name in wave.tenants:
            if self._stopped:
                return
            work = self._plan.works[name]
            present = self._records.claim(self._record(work, "running"))
            if present is not None and present.holds(work.fingerprint):
                self._was_done(work, present)
                continue
            with self._lock:
                self._progress.running.append(name)
            yield Task("up", work.stack, {"show_secrets": True, "wait": WAIT})

    def _was_done(self, work: Work, present: TenantRecord) -> None:
        """Another run has brought a tenant up, with the same inputs, since this one was planned."""
        with self._lock:
            self._progress.done.append(work.tenant)
        outcome: Literal["applied", "suspended"] = "suspended" if work.suspended else "applied"
        self._emit(
            events.TenantDone(tenant=work.tenant, stack=present.stack, outcome=outcome, seconds=0.0)
        )

    def _tell(self, event: TaskEvent) -> None:
        work = self._works[event.task.stack]
        number = self._wave.number if self._wave else None
        if event.kind == "began":
            self._emit(
                events.TenantBegan(tenant=work.tenant, stack=work.stack, doing="up", wave=number)
            )
        elif not is_same(event):
            self._emit(step_event(work.tenant, event))

    def _examine_one(self, work: Work, result: Result, since: str) -> None:
        try:
            self._examine(work, result, since)
        except BaseException:
            self._runner.stop()  # such as records that cannot be written
            raise

    def _examine(self, work: Work, result: Result, since: str) -> None:
        """Asks a tenant that was brought up whether it is well, in a thread of its own."""
        value: Mapping[str, Any] = result.value or {}
        tenant = Endpoints.of(value.get("outputs") or {})
        verdict = self._checker.check(tenant, since)
        self._emit(
            events.HealthChecked(
                tenant=work.tenant,
                stack=work.stack,
                healthy=verdict.healthy,
                found=verdict.found,
                seconds=round(verdict.seconds, 3),
            )
        )
        if not verdict.healthy:
            self._fail(work, result, "unhealthy", "; ".join(verdict.found), verdict.remedy)
            return
        outcome: Literal["applied", "suspended"] = "suspended" if work.suspended else "applied"
        self._records.write(self._record(work, outcome, result))
        with self._lock:
            self._wells[work.tenant] = tenant
            self._ended(work, result, self._progress.done)
        self._emit(
            events.TenantDone(
                tenant=work.tenant,
                stack=work.stack,
                outcome=outcome,
                changed=int(value.get("changed") or 0),
                seconds=round(result.seconds, 3),
                api_calls=result.api_calls,
            )
        )

    def _look_again(self, name: str, since: str) -> None:
        """Asks for the error rate at the wave's end, when the tenant has had some traffic."""
        tenant = self._wells.pop(name, None)
        verdict = self._checker.check_errors(tenant, since) if tenant else None
        if verdict is None or verdict.healthy:
            return
        work = self._plan.works[name]
        with self._lock:
            self._progress.done.remove(name)
        self._fail(
            work, Result(Task("up", work.stack), ok=False), "unhealthy", verdict.found[0], ""
        )

    def _fail(self, work: Work, result: Result, outcome: Outcome, error: str, remedy: str) -> None:
        if result.held:
            self._records.release(work.stack)
        else:
            self._records.write(self._record(work, outcome, result, error))
        with self._lock:
            progress = self._progress
            self._ended(
                work, result, progress.failed if outcome == "failed" else progress.unhealthy
            )
            canary = self._wave is not None and self._wave.is_canary
            enough = canary or progress.failures >= self._rules.max_failures
        self._emit(
            events.TenantFailed(
                tenant=work.tenant,
                stack=work.stack,
                outcome="failed" if outcome == "failed" else "unhealthy",
                error=error,
                remedy=remedy,
                seconds=round(result.seconds, 3),
                api_calls=result.api_calls,
            )
        )
        if enough:
            what = "did not come up" if outcome == "failed" else "is not healthy"
            self.stop(f"{'the canary ' if canary else ''}{work.tenant} {what}")

    def _ended(self, work: Work, result: Result, how: list[str]) -> None:
        if work.tenant in self._progress.running:
            self._progress.running.remove(work.tenant)
        how.append(work.tenant)
        self._progress.api_calls += result.api_calls

    def _record(
        self, work: Work, outcome: Outcome, result: Result | None = None, error: str = ""
    ) -> TenantRecord:
        return TenantRecord(
            stack=work.stack,
            outcome=outcome,
            # Of what failed nobody knows how much was applied.
            fingerprint=work.applied if outcome == "failed" else work.fingerprint,
            at=written(self._rules.now()),
            seconds=round(result.seconds, 3) if result else 0.0,
            api_calls=result.api_calls if result else 0,
            error=error,
            release=self._rules.release,
            wave=self._wave.number if self._wave else 0,
            rollout=self._plan.rollout,
        )

    def _end(self, seconds: float) -> events.Stopped:
        where = self.where
        trouble = [*where.failed, *where.unhealthy]
        listed = f"of {', '.join(trouble)} " if trouble else ""
        put_right = f"Put the trouble {listed}right, then run" if trouble else "Run"
        return events.Stopped(
            rollout=self._plan.rollout,
            reason=self._stopped or f"{_tenants(len(trouble))} not as they should be",
            where=where,
            remedy=f"{put_right} it again, and it goes on where it stopped: {self._rules.command}",
            seconds=round(seconds, 3),
        )

    def _emit(self, event: FleetEvent) -> None:
        with self._lock:
            self._emit_one(event)


def is_same(event: TaskEvent) -> bool:
    """Whether an event only says that a resource is as it was, which is not told of a fleet."""
    return event.kind == "step" and event.data.get("op") == "same" and event.data["kind"] == "done"


def step_event(tenant: str, event: TaskEvent) -> events.StepEvent:
    """What a worker tells of its stack, as an event of the fleet."""
    data = event.data
    known: Mapping[str, Any] = data if event.kind == "step" else {**data, "kind": "note"}
    return events.StepEvent(
        tenant=tenant,
        stack=event.task.stack,
        kind=known["kind"],
        op=known.get("op"),
        resource=known.get("name"),
        type=known.get("type"),
        message=str(known.get("message") or ""),
        seconds=round(float(known.get("seconds") or 0), 3),
    )


def _tenants(count: int) -> str:
    return "1 tenant is" if count == 1 else f"{count} tenants are"


def written(moment: datetime) -> str:
    """A time as it is written: RFC 3339 in UTC, with milliseconds."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
