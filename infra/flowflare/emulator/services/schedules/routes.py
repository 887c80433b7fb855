"""Serve cron triggers."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from flowflare.emulator import codes
from flowflare.emulator.envelope import success
from flowflare.emulator.requests import account_of, json_body, name_of, operation
from flowflare.emulator.services.schedules.store import Schedule, SchedulesStore

_SCHEDULES = "/accounts/{account}/workers/scripts/{script}/schedules"


class ScheduleRoutes:
    """Serve the operations of a script's `schedules`."""

    def __init__(self, store: SchedulesStore) -> None:
        self._store = store

    def routes(self) -> list[BaseRoute]:
        """List the operations of this service."""
        return [
            operation("GET", _SCHEDULES, self._get),
            operation("PUT", _SCHEDULES, self._put),
        ]

    async def _get(self, request: Request) -> Response:
        return _answer(self._store.list_schedules(account_of(request), name_of(request, "script")))

    async def _put(self, request: Request) -> Response:
        body = await json_body(request)
        if not isinstance(body, list) or not all(isinstance(trigger, dict) for trigger in body):
            raise codes.invalid_body("The body must be a list of objects with `cron`.")
        crons = [str(trigger.get("cron", "")) for trigger in body]
        return _answer(self._store.put(account_of(request), name_of(request, "script"), crons))


def _answer(schedules: list[Schedule]) -> Response:
    return success({"schedules": [vars(schedule) for schedule in schedules]})
