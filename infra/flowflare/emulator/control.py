"""Serve the control API below `/emulator/`: what tests need and Cloudflare does not have."""

import time
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from flowflare.emulator.database import Database
from flowflare.emulator.doors import Tokens
from flowflare.emulator.faults import Faults, Rule
from flowflare.emulator.rate_limit import Limit, RateLimit
from flowflare.emulator.request_log import RequestLog
from flowflare.emulator.requests import account_of, json_object, number
from flowflare.emulator.runtime.workers import Workers
from flowflare.emulator.services.accounts.store import KEY_VALUE_RULES, AccountsStore
from flowflare.errors import EmulatorError


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


@dataclass(frozen=True)
class Control:
    """Serve health, the log, faults, Workers, crons, accounts, tokens and the limit on calls."""

    database: Database
    workers: Workers
    accounts: AccountsStore
    faults: Faults
    log: RequestLog
    tokens: Tokens
    limit: RateLimit
    identity: dict[str, Any]

    def routes(self) -> list[BaseRoute]:
        """List the control API's operations."""
        return [
            Route("/emulator/health", self._show_health, methods=["GET"]),
            Route("/emulator/requests", self._list_requests, methods=["GET"]),
            Route("/emulator/requests", self._clear_requests, methods=["DELETE"]),
            Route("/emulator/faults", self._list_rules, methods=["GET"]),
            Route("/emulator/faults", self._add_rule, methods=["POST"]),
            Route("/emulator/faults", self._remove_rules, methods=["DELETE"]),
            Route("/emulator/faults/{rule:int}", self._remove_rule, methods=["DELETE"]),
            Route("/emulator/faults/{rule:int}/release", self._release_calls, methods=["POST"]),
            Route("/emulator/workers", self._describe_workers, methods=["GET"]),
            Route("/emulator/units", self._limit_units, methods=["PUT"]),
            Route("/emulator/settle", self._settle, methods=["POST"]),
            Route("/emulator/cron", self._run_cron, methods=["POST"]),
            Route("/emulator/accounts/{account}", self._set_account, methods=["PUT"]),
            Route("/emulator/tokens", self._add_token, methods=["POST"]),
            Route("/emulator/rate-limit", self._show_limits, methods=["GET"]),
            Route("/emulator/rate-limit", self._set_limit, methods=["PUT"]),
            Route("/emulator/rate-limit", self._reset_limits, methods=["DELETE"]),
        ]

    async def _show_health(self, _: Request) -> Response:
        health = self.workers.health()
        document = {**self.identity, **health, "crashes": self.workers.crashes}
        return JSONResponse(document, 503 if health["status"] == "failed" else 200)

    async def _list_requests(self, request: Request) -> Response:
        since = number(request, "since", 0)
        return JSONResponse(self.log.since(since, request.query_params.get("account")))

    async def _clear_requests(self, _: Request) -> Response:
        self.log.clear()
        return Response(status_code=204)

    async def _list_rules(self, _: Request) -> Response:
        return JSONResponse([rule.view() for rule in self.faults.all()])

    async def _add_rule(self, request: Request) -> Response:
        try:
            rule = Rule.model_validate(await json_object(request))
        except ValidationError as error:
            return JSONResponse({"problems": _problems(error)}, 400)
        return JSONResponse(self.faults.add(rule).view(), 201)

    async def _remove_rules(self, _: Request) -> Response:
        self.faults.remove()
        return Response(status_code=204)

    async def _remove_rule(self, request: Request) -> Response:
        found = self.faults.remove(request.path_params["rule"])
        return Response(status_code=204 if found else 404)

    async def _release_calls(self, request: Request) -> Response:
        found = self.faults.release(request.path_params["rule"])
        return Response(status_code=204 if found else 404)

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

    async def _limit_units(self, request: Request) -> Response:
        try:
            units = Units.model_validate(await json_object(request))
        except ValidationError as error:
            return JSONResponse({"problems": _problems(error)}, 400)
        await self.workers.limit(units.loaded, units.idle_seconds)
        return Response(status_code=204)

    async def _settle(self, request: Request) -> Response:
        settled = await self.workers.settle(request.query_params.get("account"))
        return JSONResponse(settled, 500 if settled["problems"] else 200)

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

    async def _set_account(self, request: Request) -> Response:
        rule = (await json_object(request)).get("key_value_classes")
        if rule not in KEY_VALUE_RULES:
            return JSONResponse(
                {"problem": f"key_value_classes must be one of {', '.join(KEY_VALUE_RULES)}"}, 400
            )
        self.accounts.set_key_value_rule(account_of(request), rule)
        return Response(status_code=204)

    async def _add_token(self, _: Request) -> Response:
        return JSONResponse({"token": self.tokens.add()}, 201)

    async def _show_limits(self, _: Request) -> Response:
        return JSONResponse([limit.model_dump() for limit in self.limit.all()])

    async def _set_limit(self, request: Request) -> Response:
        try:
            self.limit.set(Limit.model_validate(await json_object(request)))
        except ValidationError as error:
            return JSONResponse({"problems": _problems(error)}, 400)
        return Response(status_code=204)

    async def _reset_limits(self, _: Request) -> Response:
        self.limit.reset()
        return Response(status_code=204)


def _problems(error: ValidationError) -> list[Any]:
    return list(error.errors(include_url=False, include_context=False))
