"""Serve cron triggers."""

from starlette.requests import Request
from starlette.responses import Response

from flowflare.emulator import codes
from flowflare.emulator.envelope import success
from flowflare.emulator.requests import Routes, json_body, serves
from flowflare.emulator.services.schedules.store import Schedule, SchedulesStore

_SCHEDULES = "/accounts/{account}/workers/scripts/{script}/schedules"


class ScheduleRoutes(Routes):
    """Serve the operations of a script's `schedules`."""

    def __init__(self, store: SchedulesStore) -> None:
        self._store = store

    @serves("GET", _SCHEDULES)
    async def _get(self, _: Request, account: str, script: str) -> Response:
        return _answer(self._store.list_schedules(account, script))

    @serves("PUT", _SCHEDULES)
    async def _put(self, request: Request, account: str, script: str) -> Response:
        body = await json_body(request)
        if not isinstance(body, list) or not all(isinstance(trigger, dict) for trigger in body):
            raise codes.invalid_body("The body must be a list of objects with `cron`.")
        crons = [str(trigger.get("cron", "")) for trigger in body]
        return _answer(self._store.put(account, script, crons))


def _answer(schedules: list[Schedule]) -> Response:
    return success({"schedules": [vars(schedule) for schedule in schedules]})
