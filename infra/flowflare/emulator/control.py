"""Serve the control API below `/emulator/`: what tests need and Cloudflare does not have."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from flowflare.emulator.cron_clock import CronClock
from flowflare.emulator.database import Database
from flowflare.emulator.distance import Distance, Distances
from flowflare.emulator.doors import Tokens
from flowflare.emulator.faults import Faults, Rule
from flowflare.emulator.rate_limit import Limit, RateLimit
from flowflare.emulator.request_log import RequestLog
from flowflare.emulator.requests import Routes, json_object, number, serves
from flowflare.emulator.runtime.workers import Workers
from flowflare.emulator.services.accounts.store import KEY_VALUE_RULES, AccountsStore
from flowflare.errors import EmulatorError

# The last second of the year 9999, in milliseconds since 1970.
_LAST_TIME = 253_402_300_799_000


class Units(BaseModel):
    """Set how many units of Workers stay loaded, and how long an unused unit stays loaded."""

    model_config = ConfigDict(extra="forbid")

    loaded: PositiveInt = 16
    idle_seconds: PositiveFloat = 10


class Cron(BaseModel):
    """Select a cron trigger: by default the script's first one, at the current time."""

    model_config = ConfigDict(extra="forbid")

    account: str
    script: str
    cron: str | None = None
    time: int | None = Field(default=None, ge=0, le=8_640_000_000_000_000)
    """Milliseconds since 1970, up to the last date that JavaScript can represent."""


class Clock(BaseModel):
    """Set the time that an account's cron triggers follow."""

    model_config = ConfigDict(extra="forbid")

    account: str
    time: int = Field(ge=0, le=_LAST_TIME)
    """Milliseconds since 1970."""


@dataclass(frozen=True)
class Control(Routes):
    """Serve health, the log, faults, Workers, crons, accounts, tokens and the limit on calls."""

    database: Database
    workers: Workers
    accounts: AccountsStore
    faults: Faults
    log: RequestLog
    tokens: Tokens
    limit: RateLimit
    distances: Distances
    clock: CronClock
    identity: dict[str, Any]

    @serves("GET", "/emulator/health")
    async def _show_health(self, _: Request) -> Response:
        health = self.workers.health()
        problem = self.database.find_problem()
        if problem is not None:
            health = {"status": "failed", "problem": problem}
        document = {**self.identity, **health, "crashes": self.workers.crashes}
        return JSONResponse(document, 503 if health["status"] == "failed" else 200)

    @serves("GET", "/emulator/requests")
    async def _list_requests(self, request: Request) -> Response:
        since = number(request, "since", 0)
        return JSONResponse(self.log.since(since, request.query_params.get("account")))

    @serves("DELETE", "/emulator/requests")
    async def _clear_requests(self, _: Request) -> Response:
        self.log.clear()
        return Response(status_code=204)

    @serves("GET", "/emulator/faults")
    async def _list_rules(self, _: Request) -> Response:
        return JSONResponse([rule.view() for rule in self.faults.all()])

    @serves("POST", "/emulator/faults")
    async def _add_rule(self, request: Request) -> Response:
        try:
            rule = Rule.model_validate(await json_object(request))
        except ValidationError as error:
            return JSONResponse({"problems": _problems(error)}, 400)
        return JSONResponse(self.faults.add(rule).view(), 201)

    @serves("DELETE", "/emulator/faults")
    async def _remove_rules(self, _: Request) -> Response:
        self.faults.remove()
        return Response(status_code=204)

    @serves("DELETE", "/emulator/faults/{rule:int}")
    async def _remove_rule(self, request: Request) -> Response:
        found = self.faults.remove(request.path_params["rule"])
        return Response(status_code=204 if found else 404)

    @serves("POST", "/emulator/faults/{rule:int}/release")
    async def _release_calls(self, request: Request) -> Response:
        found = self.faults.release(request.path_params["rule"])
        return Response(status_code=204 if found else 404)

    @serves("GET", "/emulator/workers")
    async def _describe_workers(self, request: Request) -> Response:
        account = request.query_params.get("account")
        rows = self.database.rows("SELECT account, name, enabled FROM scripts ORDER BY 1, 2")
        workers = [
            {
                "account": row["account"],
                "script": row["name"],
                "enabled": bool(row["enabled"]),
                "url": self.workers.url(row["account"], row["name"]),
            }
            for row in rows
            if account in {None, row["account"]}
        ]
        running = self.workers.health()["status"] == "ready"
        runtime = await self.workers.describe() if running else None
        return JSONResponse({"workers": workers, "runtime": runtime})

    @serves("PUT", "/emulator/units")
    async def _limit_units(self, request: Request) -> Response:
        try:
            units = Units.model_validate(await json_object(request))
        except ValidationError as error:
            return JSONResponse({"problems": _problems(error)}, 400)
        await self.workers.limit(units.loaded, units.idle_seconds)
        return Response(status_code=204)

    @serves("POST", "/emulator/settle")
    async def _settle(self, request: Request) -> Response:
        settled = await self.workers.settle(request.query_params.get("account"))
        return JSONResponse(settled, 500 if settled["problems"] else 200)

    @serves("POST", "/emulator/cron")
    async def _run_cron(self, request: Request) -> Response:
        try:
            cron_request = Cron.model_validate(await json_object(request))
        except ValidationError as error:
            return JSONResponse({"problems": _problems(error)}, 400)
        account, script = cron_request.account, cron_request.script
        rows = self.database.select("schedules", "position", account=account, script=script)
        cron = cron_request.cron or (rows[0]["cron"] if rows else None)
        if cron is None:
            return JSONResponse({"problem": f"'{script}' has no cron trigger"}, 404)
        moment = cron_request.time or int(time.time() * 1000)
        try:
            outcome = await self.workers.scheduled(account, script, cron, moment)
        except EmulatorError as error:
            return JSONResponse({"problem": error.message}, 500)
        return JSONResponse({"outcome": outcome, "cron": cron})

    @serves("PUT", "/emulator/clock")
    async def _set_time(self, request: Request) -> Response:
        try:
            clock = Clock.model_validate(await json_object(request))
        except ValidationError as error:
            return JSONResponse({"problems": _problems(error)}, 400)
        moment = datetime.fromtimestamp(clock.time / 1000, UTC)
        return JSONResponse({"ran": await self.clock.set_time(clock.account, moment)})

    @serves("DELETE", "/emulator/clock")
    async def _unset_time(self, request: Request) -> Response:
        self.clock.unset_time(request.query_params.get("account", ""))
        return Response(status_code=204)

    @serves("PUT", "/emulator/accounts/{account}")
    async def _set_account(self, request: Request, account: str) -> Response:
        rule = (await json_object(request)).get("key_value_classes")
        if rule not in KEY_VALUE_RULES:
            return JSONResponse(
                {"problem": f"key_value_classes must be one of {', '.join(KEY_VALUE_RULES)}"}, 400
            )
        self.accounts.set_key_value_rule(account, rule)
        return Response(status_code=204)

    @serves("POST", "/emulator/tokens")
    async def _add_token(self, _: Request) -> Response:
        return JSONResponse({"token": self.tokens.add()}, 201)

    @serves("PUT", "/emulator/distance")
    async def _set_distance(self, request: Request) -> Response:
        try:
            distance = Distance.model_validate(await json_object(request))
        except ValidationError as error:
            return JSONResponse({"problems": _problems(error)}, 400)
        self.distances.set(distance)
        await self.workers.move(distance.account)
        return Response(status_code=204)

    @serves("GET", "/emulator/rate-limit")
    async def _show_limits(self, _: Request) -> Response:
        return JSONResponse([limit.model_dump() for limit in self.limit.all()])

    @serves("PUT", "/emulator/rate-limit")
    async def _set_limit(self, request: Request) -> Response:
        try:
            self.limit.set(Limit.model_validate(await json_object(request)))
        except ValidationError as error:
            return JSONResponse({"problems": _problems(error)}, 400)
        return Response(status_code=204)

    @serves("DELETE", "/emulator/rate-limit")
    async def _reset_limits(self, _: Request) -> Response:
        self.limit.reset()
        return Response(status_code=204)


def _problems(error: ValidationError) -> list[Any]:
    return list(error.errors(include_url=False, include_context=False))
