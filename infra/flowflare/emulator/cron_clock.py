"""Run what is due: the `scheduled` handlers of Workers, and hourly the retention of instances.

Few handlers run at a time, and after a burst only one starts a second: a thousand Workers that are
due in one minute do not start a thousand processes. A trigger that is due again while it still
waits or runs keeps its place, and runs once with the newest time. What was due while the emulator
was stopped does not run.

The time of one account can be set, so that a test does not wait. Its triggers then follow that time
instead of the clock, until the account is returned to the clock.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flowflare.crons import find_problem, last_due
from flowflare.emulator.database import Database
from flowflare.emulator.runtime.workers import Workers
from flowflare.emulator.services.workflows.retention import Retention
from flowflare.errors import EmulatorError

_LOG = logging.getLogger("emulator")
_TOGETHER = 4
_BURST = 10
_PACE = 1.0
"""How many seconds pass between two handlers after a burst of `_BURST`."""
_PATIENCE = 30.0
"""After how many seconds a running handler no longer delays others."""


@dataclass(frozen=True)
class Trigger:
    """Identify one cron trigger of a script."""

    account: str
    script: str
    cron: str


class CronClock:
    """Run what is due, by the clock or by the time that is set for an account."""

    def __init__(self, database: Database, workers: Workers, retention: Retention) -> None:
        self._database = database
        self._workers = workers
        self._retention = retention
        self._applying: asyncio.Task[None] | None = None
        self._seen = datetime.now(UTC)
        self._set: dict[str, datetime] = {}
        self._due: dict[Trigger, datetime] = {}
        self._rings: dict[Trigger, asyncio.Task[str]] = {}
        self._slots = asyncio.Semaphore(_TOGETHER)
        self._starts: list[float] = []

    @asynccontextmanager
    async def follow(self) -> AsyncIterator[None]:
        """Follow the clock until the block ends."""
        following = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            applying = [self._applying] if self._applying else []
            tasks = [following, *applying, *self._rings.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def set_time(self, account: str, moment: datetime) -> list[dict[str, Any]]:
        """Set an account's time and run what became due since its previous time.

        Returns:
            the `script`, `cron`, `time` and `outcome` of each trigger that ran.
        """
        before = self._set.get(account, datetime.now(UTC))
        self._set[account] = moment
        rings = self._ring(self._find_due(account, before, moment))
        ran = [
            {**vars(trigger), "time": _milliseconds(due), "outcome": await ring}
            for trigger, due, ring in rings
        ]
        await self._retention.apply(moment, account=account)
        return ran

    def unset_time(self, account: str) -> None:
        """Let an account follow the clock again."""
        self._set.pop(account, None)

    async def _follow(self) -> None:
        while True:
            now = datetime.now(UTC)
            try:
                self._ring(self._find_due(None, self._seen, now))
            except Exception:  # noqa: BLE001 -- later minutes must not be affected
                _LOG.exception("cron triggers were not run")
            if now.hour != self._seen.hour and (self._applying is None or self._applying.done()):
                applying = self._retention.apply(now, skipped=self._set)
                self._applying = asyncio.create_task(applying)
            self._seen = max(self._seen, now)
            await asyncio.sleep(60 - time.time() % 60 + 0.01)

    def _find_due(
        self, account: str | None, after: datetime, until: datetime
    ) -> list[tuple[Trigger, datetime]]:
        """List what is due in (after, until], of one account or all that follow the clock."""
        if until <= after:
            return []
        rows = self._database.select(
            "schedules", "account, script, position", **({"account": account} if account else {})
        )
        found = []
        # A thousand Workers often have the same expression; reading it takes up to a millisecond.
        moments: dict[str, datetime | None] = {}
        for row in rows:
            trigger = Trigger(row["account"], row["script"], row["cron"])
            if account is None and trigger.account in self._set:
                continue
            if trigger.cron not in moments:
                # Emulators before this one stored any five words.
                is_cron = find_problem(trigger.cron) is None
                moments[trigger.cron] = last_due(trigger.cron, after, until) if is_cron else None
            due = moments[trigger.cron]
            if due:
                found.append((trigger, due))
        return found

    def _ring(
        self, due: Sequence[tuple[Trigger, datetime]]
    ) -> list[tuple[Trigger, datetime, asyncio.Task[str]]]:
        """Run triggers soon; those that still run or wait are folded into one."""
        rings = []
        for trigger, moment in due:
            self._due[trigger] = moment
            if trigger not in self._rings:
                self._rings[trigger] = asyncio.create_task(self._run(trigger))
            rings.append((trigger, moment, self._rings[trigger]))
        return rings

    async def _run(self, trigger: Trigger) -> str:
        try:
            outcome = "canceled"
            while trigger in self._due:
                async with self._slots:
                    await self._wait_turn()
                    moment = self._due.pop(trigger)
                    running = asyncio.create_task(self._call(trigger, moment))
                    try:
                        await asyncio.wait([running], timeout=_PATIENCE)
                    except asyncio.CancelledError:
                        running.cancel()
                        raise
                outcome = await running
            return outcome
        finally:
            self._due.pop(trigger, None)
            self._rings.pop(trigger, None)

    async def _wait_turn(self) -> None:
        now = time.monotonic()
        self._starts = [start for start in self._starts if start > now - _BURST * _PACE]
        turn = now if len(self._starts) < _BURST else self._starts[-_BURST] + _BURST * _PACE
        self._starts.append(turn)
        with suppress(ValueError):
            await asyncio.sleep(turn - now)

    async def _call(self, trigger: Trigger, moment: datetime) -> str:
        account, script, cron = trigger.account, trigger.script, trigger.cron
        known = self._database.select("schedules", account=account, script=script, cron=cron)
        if not known:
            return "canceled"
        try:
            return await self._workers.scheduled(account, script, cron, _milliseconds(moment))
        except EmulatorError as error:
            _LOG.warning("cron %s of script %s: %s", cron, script, error.message)
            return "exception"


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
