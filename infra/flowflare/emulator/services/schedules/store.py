"""Hold the rules of cron triggers: a script's whole list is replaced at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from flowflare.crons import find_problem
from flowflare.emulator import codes
from flowflare.emulator.clock import now
from flowflare.emulator.database import Database, Store
from flowflare.emulator.services.scripts.store import ScriptsStore


@dataclass(frozen=True)
class Schedule:
    """Describe one cron trigger of a script."""

    cron: str
    created_on: str
    modified_on: str


class SchedulesStore(Store):
    """Store the cron triggers of all scripts."""

    def __init__(self, database: Database, scripts: ScriptsStore) -> None:
        super().__init__(database)
        self._scripts = scripts

    def list_schedules(self, account: str, script: str) -> list[Schedule]:
        """List a script's triggers in the order of the last upload. Refusal: 10007."""
        self._scripts.get(account, script)
        rows = self._database.select("schedules", "position", account=account, script=script)
        return [Schedule(row["cron"], row["created_on"], row["modified_on"]) for row in rows]

    def put(self, account: str, script: str, crons: Sequence[str]) -> list[Schedule]:
        """Replace a script's triggers. They are stored with single spaces, as on Cloudflare.

        Raises:
            Refusal: 10007 unknown script, 10100 not a cron expression or one that is there twice.
        """
        spaced = [" ".join(cron.split()) for cron in crons]
        for position, cron in enumerate(spaced):
            if find_problem(cron):
                raise codes.invalid_cron(cron)
            if cron in spaced[:position]:
                raise codes.duplicate_cron(cron)
        before = {
            schedule.cron: schedule.created_on for schedule in self.list_schedules(account, script)
        }
        time = now()
        with self._database.transaction():
            self._database.delete("schedules", account=account, script=script)
            for position, cron in enumerate(spaced):
                self._database.insert(
                    "schedules", account, script, cron, before.get(cron, time), time, position
                )
        return self.list_schedules(account, script)
