"""Deploy tenants wave by wave, check their health, and record the progress of each tenant.

A tenant's record is set to `running` before its run begins, and to the outcome after it ends. A
rollout that was killed at any moment resumes from the records.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

from flowflare.fleet.records import Outcome, TenantRecord, TenantRecords
from flowflare.fleet.rollout import events
from flowflare.fleet.rollout.events import Emit, FleetEvent, format_time
from flowflare.fleet.rollout.health import Checker, Endpoints
from flowflare.fleet.rollout.plan import RolloutPlan, TenantUpdate
from flowflare.fleet.rollout.waves import Wave
from flowflare.fleet.workers.pool import Result, Task, TaskEvent
from flowflare.fleet.workers.workshop import Workshop
from flowflare.values.wording import write_count

# Health checks mostly wait for responses, so each gets a thread.
_CHECK_THREADS: Final = 16
#: Seconds to wait for the last call of a killed run, whose stack is still locked.
WAIT: Final = 100


@dataclass(frozen=True)
class RolloutRules:
    """The settings of a rollout.

    Attributes:
        max_failures: the number of failed or unhealthy tenants that stops the rollout. In the
            canary's wave, one is enough.
        command: the command that resumes the rollout, for the remedy.
        release: the release of Flowflare, for the records.
        clock: returns a monotonic time in seconds, to measure durations.
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
    """One rollout; `stop` may be called from any thread while it runs."""

    def __init__(
        self,
        plan: RolloutPlan,
        runner: Workshop,
        records: TenantRecords,
        checker: Checker,
        emit: Emit,
        rules: RolloutRules,
    ) -> None:
        self._plan = plan
        self._runner = runner
        self._records = records
        self._checker = checker
        self._emit_one = emit
        self._rules = rules
        self._lock = threading.RLock()
        self._progress = _Progress()
        self._updates = {update.stack: update for update in plan.updates.values()}
        self._healthy: dict[str, Endpoints] = {}
        self._wave: Wave | None = None
        self._stopped = ""

    def stop(self, reason: str) -> None:
        """Begin no more tenants; the present runs continue to their end."""
        with self._lock:
            self._stopped = self._stopped or reason
        self._runner.stop()

    @property
    def progress(self) -> events.TenantsByProgress:
        """The tenants by their present progress."""
        with self._lock:
            now = self._progress
            known = {*now.done, *now.failed, *now.unhealthy, *now.running}
            before = {*self._plan.through, *self._plan.unchanged}
            return events.TenantsByProgress(
                done=tuple(sorted({*now.done, *before})),
                failed=tuple(now.failed),
                unhealthy=tuple(now.unhealthy),
                running=tuple(now.running),
                waiting=tuple(sorted(self._plan.updates.keys() - known)),
            )

    @property
    def api_calls(self) -> int:
        """The number of requests to Cloudflare's API so far."""
        return self._progress.api_calls

    def run(self) -> events.Stopped | None:
        """Deploy the tenants of all waves.

        Returns:
            None if all tenants succeeded; otherwise the last event, which lists the failures.
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
        with ThreadPoolExecutor(_CHECK_THREADS, thread_name_prefix="health") as checks:
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
        since = format_time(self._rules.now())
        waiting: list[Future[None]] = []
        for result in self._runner.run(self._make_tasks(wave), self._report):
            update = self._updates[result.task.stack]
            if result.ok:
                waiting.append(checks.submit(self._check_or_stop, update, result, since))
            else:
                self._fail(update, result, "failed", result.error, result.remedy)
        for check in waiting:
            check.result()
        if not self._stopped:
            list(checks.map(lambda name: self._check_again(name, since), wave.tenants))

    def _make_tasks(self, wave: Wave) -> Iterator[Task]:
        """Make the wave's tasks; a free worker requests the next task, which is first recorded."""
        for name in wave.tenants:
            if self._stopped:
                return
            update = self._plan.updates[name]
            present = self._records.claim(self._record(update, "running"))
            if present is not None and present.holds(update.fingerprint):
                self._skip(update, present)
                continue
            with self._lock:
                self._progress.running.append(name)
            yield Task("up", update.stack, {"show_secrets": True, "wait": WAIT})

    def _skip(self, update: TenantUpdate, present: TenantRecord) -> None:
        """Skip a tenant that another run has deployed with the same inputs since the plan."""
        with self._lock:
            self._progress.done.append(update.tenant)
        outcome: Literal["applied", "suspended"] = "suspended" if update.suspended else "applied"
        skipped = Result(Task("up", present.stack), ok=True)
        self._emit(make_done_event(update.tenant, outcome, skipped))

    def _report(self, event: TaskEvent) -> None:
        update = self._updates[event.task.stack]
        number = self._wave.number if self._wave else None
        if event.kind == "began":
            self._emit(
                events.TenantBegan(
                    tenant=update.tenant, stack=update.stack, doing="up", wave=number
                )
            )
        elif not is_unchanged(event):
            self._emit(make_step_event(update.tenant, event))

    def _check_or_stop(self, update: TenantUpdate, result: Result, since: str) -> None:
        try:
            self._check(update, result, since)
        except BaseException:
            self._runner.stop()  # for example if records cannot be written
            raise

    def _check(self, update: TenantUpdate, result: Result, since: str) -> None:
        """Check the health of a deployed tenant, in its own thread, and record the outcome."""
        tenant = Endpoints.of(result.value.get("outputs") or {})
        health = self._checker.check(tenant, since)
        self._emit(
            events.HealthChecked(
                tenant=update.tenant,
                stack=update.stack,
                healthy=health.healthy,
                found=health.found,
                seconds=round(health.seconds, 3),
            )
        )
        if not health.healthy:
            self._fail(update, result, "unhealthy", "; ".join(health.found), health.remedy)
            return
        outcome: Literal["applied", "suspended"] = "suspended" if update.suspended else "applied"
        self._records.write(self._record(update, outcome, result))
        with self._lock:
            self._healthy[update.tenant] = tenant
            self._finish(update, result, self._progress.done)
        self._emit(make_done_event(update.tenant, outcome, result))

    def _check_again(self, name: str, since: str) -> None:
        """Check the error rate at the wave's end, when the tenant has had some traffic."""
        tenant = self._healthy.pop(name, None)
        health = self._checker.check_errors(tenant, since) if tenant else None
        if health is None or health.healthy:
            return
        update = self._plan.updates[name]
        with self._lock:
            self._progress.done.remove(name)
        result = Result(Task("up", update.stack), ok=False)
        self._fail(update, result, "unhealthy", health.found[0])

    def _fail(
        self,
        update: TenantUpdate,
        result: Result,
        outcome: Literal["failed", "unhealthy"],
        error: str,
        remedy: str = "",
    ) -> None:
        if result.held:
            self._records.release(update.stack)
        else:
            self._records.write(self._record(update, outcome, result, error))
        with self._lock:
            progress = self._progress
            failures = {"failed": progress.failed, "unhealthy": progress.unhealthy}
            self._finish(update, result, failures[outcome])
            canary = self._wave is not None and self._wave.is_canary
            enough = canary or progress.failures >= self._rules.max_failures
        self._emit(make_failed_event(update.tenant, outcome, result, error, remedy))
        if enough:
            what = "failed" if outcome == "failed" else "is not healthy"
            self.stop(f"{'the canary ' if canary else ''}{update.tenant} {what}")

    def _finish(self, update: TenantUpdate, result: Result, finished: list[str]) -> None:
        if update.tenant in self._progress.running:
            self._progress.running.remove(update.tenant)
        finished.append(update.tenant)
        self._progress.api_calls += result.api_calls

    def _record(
        self,
        update: TenantUpdate,
        outcome: Outcome,
        result: Result | None = None,
        error: str = "",
    ) -> TenantRecord:
        return TenantRecord(
            stack=update.stack,
            outcome=outcome,
            # A failed run may have applied a part of its inputs.
            fingerprint=update.last_applied if outcome == "failed" else update.fingerprint,
            at=format_time(self._rules.now()),
            error=error,
            release=self._rules.release,
            wave=self._wave.number if self._wave else 0,
            rollout=self._plan.rollout,
            **measure_run(result),
        )

    def _end(self, seconds: float) -> events.Stopped:
        progress = self.progress
        failures = [*progress.failed, *progress.unhealthy]
        fix = f"Fix {', '.join(failures)}, then run" if failures else "Run"
        count = write_count(len(failures), "tenant")
        failed = f"{count} {'is' if len(failures) == 1 else 'are'} failed or unhealthy"
        return events.Stopped(
            rollout=self._plan.rollout,
            reason=self._stopped or failed,
            where=progress,
            remedy=f"{fix} the same command again to resume: {self._rules.command}",
            seconds=round(seconds, 3),
        )

    def _emit(self, event: FleetEvent) -> None:
        with self._lock:
            self._emit_one(event)


def measure_run(result: Result | None) -> dict[str, Any]:
    """Return the duration and the calls of a run, as events and records have them."""
    if result is None:
        return {}
    return {"seconds": round(result.seconds, 3), "api_calls": result.api_calls}


def make_done_event(tenant: str, outcome: events.Outcome, result: Result) -> events.TenantDone:
    """Make the event of a run that succeeded."""
    return events.TenantDone(
        tenant=tenant,
        stack=result.task.stack,
        outcome=outcome,
        changed=(result.value or {}).get("changed", 0),
        **measure_run(result),
    )


def make_failed_event(
    tenant: str, outcome: events.Outcome, result: Result, error: str, remedy: str
) -> events.TenantFailed:
    """Make the event of a run that failed, or after which the tenant is not healthy."""
    return events.TenantFailed(
        tenant=tenant,
        stack=result.task.stack,
        outcome=outcome,
        error=error,
        remedy=remedy,
        **measure_run(result),
    )


def is_unchanged(event: TaskEvent) -> bool:
    """Return whether an event says that a resource is unchanged; a fleet does not report those."""
    return event.kind == "step" and event.data.get("op") == "same" and event.data["kind"] == "done"


def make_step_event(tenant: str, event: TaskEvent) -> events.TenantStep:
    """Make an event of the fleet from a worker's event."""
    data = event.data
    known: Mapping[str, Any] = data if event.kind == "step" else {**data, "kind": "note"}
    return events.TenantStep(
        tenant=tenant,
        stack=event.task.stack,
        kind=known["kind"],
        op=known.get("op"),
        resource=known.get("name"),
        type=known.get("type"),
        message=str(known.get("message") or ""),
        seconds=round(float(known.get("seconds") or 0), 3),
    )
