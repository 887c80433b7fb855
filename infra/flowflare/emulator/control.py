"""The control surface below `/emulator/`: what Cloudflare has not and people who test need."""

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
    """How many units of Workers stay loaded; others go when nobody asks for them for a while."""

    model_config = ConfigDict(extra="forbid")

    loaded: PositiveInt = 16
    idle_seconds: PositiveFloat = 10


class Cron(BaseModel):
    """Which cron trigger to ring; without a cron the script's first, without a time now."""

    model_config = ConfigDict(extra="forbid")

    account: str
    script: str
    cron: str | None = None
    time: int | None = Field(default=None, ge=0, le=8_640_000_000_000_000)
    """Milliseconds since 1970, as far as JavaScript's dates go."""


class Control:
    """Health, request log, fault rules, Workers, crons and account settings."""

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
        """The operations of the control surface."""
        return [
            Route("/emulator/health", self._health, methods=["GET"]),
            Route("/emulator/requests", self._requests, methods=["GET"]),
            Route("/emulator/requests", self._forget, methods=["DELETE"]),
            Route("/emulator/faults", self._rules, methods=["GET"]),
            Route("/emulator/faults", self._add_rule, methods=["POST"]),
            Route("/emulator/faults", self._remove_rules, methods=["DELETE"]),
            Route("/emulator/faults/{rule:int}", self._remove_rule, methods=["DELETE"]),
            Route("/emulator/faults/{rule:int}/release", self._release, methods=["POST"]),
            Route("/emulator/workers", self._describe, methods=["GET"]),
            Route("/emulator/units", self._limit, methods=["PUT"]),
            Route("/emulator/settle", self._settle, methods=["POST"]),
            Route("/emulator/cron", self._cron, methods=["POST"]),
            Route("/emulator/accounts/{account}", self._account, methods=["PUT"]),
        ]

    async def _health(self, _: Request) -> Response:
        health = self._workers.health()
        shown = {**self._identity, **health, "crashes": self._workers.crashes}
        return JSONResponse(shown, 503 if health["status"] == "failed" else 200)

    async def _requests(self, request: Request) -> Response:
        since = number(request, "since", 0)
        return JSONResponse(self._log.since(since, request.query_params.get("account")))

    async def _forget(self, _: Request) -> Response:
        self._log.clear()
        return Response(status_code=204)

    async def _rules(self, _: Request) -> Response:
        return JSONResponse([each.view() for each in self._faults.all()])

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

    async def _release(self, request: Request) -> Response:
        found = self._faults.release(request.path_params["rule"])
        return Response(status_code=204 if found else 404)

    async def _describe(self, request: Request) -> Response:
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

    async def _limit(self, request: Request) -> Response:
        try:
            asked = Units.model_validate(await json_object(request))
        except ValidationError as error:
            return JSONResponse({"problems": _problems(error)}, 400)
        await self._workers.limit(asked.loaded, asked.idle_seconds)
        return Response(status_code=204)

    async def _settle(self, request: Request) -> Response:
        settled = await self._workers.settle(request.query_params.get("account"))
        return JSONResponse(settled, 500 if settled["problems"] else 200)

    async def _cron(self, request: Request) -> Response:
        try:
            asked = Cron.model_validate(await json_object(request))
        except ValidationError as error:
            return JSONResponse({"problems": _problems(error)}, 400)
        account, script = asked.account, asked.script
        row = self._database.row(
            "SELECT cron FROM schedules WHERE account = ? AND script = ? ORDER BY position",
            account,
            script,
        )
        cron = asked.cron or (row["cron"] if row else None)
        if cron is None:
            return JSONResponse({"problem": f"'{script}' has no cron trigger"}, 404)
        moment = asked.time or int(time.time() * 1000)
        try:
            outcome = await self._workers.scheduled(account, script, cron, moment)
        except EmulatorError as error:
            return JSONResponse({"problem": error.message}, 500)
        return JSONResponse({"outcome": outcome, "cron": cron})

    async def _account(self, request: Request) -> Response:
        rule = (await json_object(request)).get("key_value_classes")
        if rule not in KEY_VALUE_RULES:
            return JSONResponse({"problem": f"one of {', '.join(KEY_VALUE_RULES)}"}, 400)
        self._accounts.set_key_value_rule(account_of(request), rule)
        return Response(status_code=204)


class TokenControl:
    """More API tokens than the data folder's: each has calls of its own in the limit.

    Args:
        tokens: the tokens that the API takes.
    """

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def routes(self) -> list[BaseRoute]:
        """The operations of the control surface."""
        return [Route("/emulator/tokens", self._add, methods=["POST"])]

    async def _add(self, _: Request) -> Response:
        return JSONResponse({"token": self._tokens.add()}, 201)


class LimitControl:
    """The limit on calls: shown, changed, put back.

    Args:
        limit: what counts the calls.
    """

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit

    def routes(self) -> list[BaseRoute]:
        """The operations of the control surface."""
        return [
            Route("/emulator/rate-limit", self._show, methods=["GET"]),
            Route("/emulator/rate-limit", self._set, methods=["PUT"]),
            Route("/emulator/rate-limit", self._reset, methods=["DELETE"]),
        ]

    async def _show(self, _: Request) -> Response:
        return JSONResponse([each.model_dump() for each in self._limit.all()])

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
