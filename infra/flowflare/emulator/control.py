"""Serve the control API below `/emulator/`: what tests need and Cloudflare does not have."""

import time
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


class Control:
    """Serve health, the request log, fault rules, Workers, crons and account settings."""

    def __init__(
        self,
        database: Database,
        workers: Workers,
        accounts: AccountsStore,
        faults: Faults,
        log: RequestLog,
        identity: dict[str, Any],
    ) -> None:
        self._database = database
        self._workers = workers
        self._accounts = accounts
        self._faults = faults
        self._log = log
        self._identity = identity

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
        ]

    async def _show_health(self, _: Request) -> Response:
        health = self._workers.health()
        document = {**self._identity, **health, "crashes": self._workers.crashes}
        return JSONResponse(document, 503 if health["status"] == "failed" else 200)

    async def _list_requests(self, request: Request) -> Response:
        since = number(request, "since", 0)
        return JSONResponse(self._log.since(since, request.query_params.get("account")))

    async def _clear_requests(self, _: Request) -> Response:
        self._log.clear()
        return Response(status_code=204)

    async def _list_rules(self, _: Request) -> Response:
        return JSONResponse([rule.view() for rule in self._faults.all()])

    async def _add_rule(self, request: Request) -> Response:
        try:
            rule = Rule.model_validate(await json_object(request))
        except ValidationError as error:
            return JSONResponse({"problems": _problems(error)}, 400)
        return JSONResponse(self._faults.add(rule).view(), 201)

    async def _remove_rules(self, _: Request) -> Response:
        self._faults.remove()
        return Response(status_code=204)

    async def _remove_rule(self, request: Request) -> Response:
        found = self._faults.remove(request.path_params["rule"])
        return Response(status_code=204 if found else 404)

    async def _release_calls(self, request: Request) -> Response:
        found = self._faults.release(request.path_params["rule"])
        return Response(status_code=204 if found else 404)

    async def _describe_workers(self, request: Request) -> Response:
        account = request.query_params.get("account")
        rows = self._database.rows("SELECT account, name, enabled FROM scripts ORDER BY 1, 2")
        workers = [
            {
                "account": row["account"],
                "script": row["name"],
                "enabled": bool(row["enabled"]),
                "url": self._workers.url(row["account"], row["name"]),
            }
            for row in rows
            if account in {None, row["account"]}
        ]
        running = self._workers.health()["status"] == "ready"
        runtime = await self._workers.describe() if running else None
        return JSONResponse({"workers": workers, "runtime": runtime})

    async def _limit_units(self, request: Request) -> Response:
        try:
            units = Units.model_validate(await json_object(request))
        except ValidationError as error:
            return JSONResponse({"problems": _problems(error)}, 400)
        await self._workers.limit(units.loaded, units.idle_seconds)
        return Response(status_code=204)

    async def _settle(self, request: Request) -> Response:
        settled = await self._workers.settle(request.query_params.get("account"))
        return JSONResponse(settled, 500 if settled["problems"] else 200)

    async def _run_cron(self, request: Request) -> Response:
        try:
            cron_request = Cron.model_validate(await json_object(request))
        except ValidationError as error:
            return JSONResponse({"problems": _problems(error)}, 400)
        account, script = cron_request.account, cron_request.script
        row = self._database.row(
            "SELECT cron FROM schedules WHERE account = ? AND script = ? ORDER BY position",
            account,
            script,
        )
        cron = cron_request.cron or (row["cron"] if row else None)
        if cron is None:
            return JSONResponse({"problem": f"'{script}' has no cron trigger"}, 404)
        moment = cron_request.time or int(time.time() * 1000)
        try:
            outcome = await self._workers.scheduled(account, script, cron, moment)
        except EmulatorError as error:
            return JSONResponse({"problem": error.message}, 500)
        return JSONResponse({"outcome": outcome, "cron": cron})

    async def _set_account(self, request: Request) -> Response:
        rule = (await json_object(request)).get("key_value_classes")
        if rule not in KEY_VALUE_RULES:
            return JSONResponse(
                {"problem": f"key_value_classes must be one of {', '.join(KEY_VALUE_RULES)}"}, 400
            )
        self._accounts.set_key_value_rule(account_of(request), rule)
        return Response(status_code=204)


class TokenControl:
    """Create further API tokens; the limit counts the calls of each token separately.

    Args:
        tokens: the tokens that the API accepts.
    """

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def routes(self) -> list[BaseRoute]:
        """List the control API's operations."""
        return [Route("/emulator/tokens", self._add, methods=["POST"])]

    async def _add(self, _: Request) -> Response:
        return JSONResponse({"token": self._tokens.add()}, 201)


class LimitControl:
    """Show, change and reset the limit on calls."""

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit

    def routes(self) -> list[BaseRoute]:
        """List the control API's operations."""
        return [
            Route("/emulator/rate-limit", self._show, methods=["GET"]),
            Route("/emulator/rate-limit", self._set, methods=["PUT"]),
            Route("/emulator/rate-limit", self._reset, methods=["DELETE"]),
        ]

    async def _show(self, _: Request) -> Response:
        return JSONResponse([limit.model_dump() for limit in self._limit.all()])

    async def _set(self, request: Request) -> Response:
        try:
            self._limit.set(Limit.model_validate(await json_object(request)))
        except ValidationError as error:
            return JSONResponse({"problems": _problems(error)}, 400)
        return Response(status_code=204)

    async def _reset(self, _: Request) -> Response:
        self._limit.reset()
        return Response(status_code=204)


def _problems(error: ValidationError) -> list[Any]:
    return list(error.errors(include_url=False, include_context=False))
