"""Surrounds every call of the API: authentication, the limit on calls, faults, the log.

It is plain ASGI because a fault must be able to cut the connection, which no response can.
"""

import asyncio
import json
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flowflare.emulator import codes, faults
from flowflare.emulator.clock import now
from flowflare.emulator.doors import Tokens, headers_of
from flowflare.emulator.envelope import Refusal, failure, refusal
from flowflare.emulator.rate_limit import RateLimit
from flowflare.emulator.request_log import Entry, RequestLog
from flowflare.emulator.requests import API

_LOG = logging.getLogger("emulator")
_ACCOUNT = re.compile(r"/accounts/([0-9a-f]{32})(?:/|$)")
_UNKNOWN = "(The emulator does not know the operation"


@dataclass
class _Call:
    """One call on its way: what the log will say about it."""

    sequence: int
    began: float
    method: str
    path: str
    query: str
    account: str | None
    status: int | None = None
    body: bytearray = field(default_factory=bytearray)
    fault: int | None = None

    def entry(self) -> Entry:
        problems = self._problems()
        return Entry(
            sequence=self.sequence,
            time=now(),
            method=self.method,
            path=self.path,
            query=self.query,
            account=self.account,
            status=self.status,
            codes=tuple(each.get("code", 0) for each in problems),
            fault=self.fault,
            known=not any(_UNKNOWN in each.get("message", "") for each in problems),
            summary="; ".join(str(each.get("message", "")) for each in problems),
            milliseconds=round((time.monotonic() - self.began) * 1000, 1),
        )

    def _problems(self) -> list[dict[str, Any]]:
        if self.status is None or self.status < 400:
            return []
        try:
            found = json.loads(self.body).get("errors")
        except (json.JSONDecodeError, AttributeError, UnicodeDecodeError):
            return []
        return found if isinstance(found, list) else []


class Gatekeeper:
    """Authentication, the limit on calls, fault rules and the log, for calls of the API.

    Args:
        app: what answers.
        tokens: the tokens that calls may carry.
        rules: the standing fault rules.
        log: where calls are written.
        limit: how many calls a token has.
    """

    def __init__(
        self,
        app: ASGIApp,
        tokens: Tokens,
        rules: faults.Faults,
        log: RequestLog,
        limit: RateLimit,
    ) -> None:
        self._app = app
        self._tokens = tokens
        self._rules = rules
        self._log = log
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a call's token, let it meet its fault rule, and write it into the log."""
        if scope["type"] != "http" or not scope["path"].startswith(API):
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(API)
        found = _ACCOUNT.match(path)
        call = _Call(
            sequence=self._log.next_number(),
            began=time.monotonic(),
            method=scope["method"],
            path=path,
            query=scope["query_string"].decode(),
            account=found.group(1) if found else None,
        )
        try:
            await self._meet(call, scope, receive, send)
        finally:
            self._log.add(call.entry())

    async def _meet(self, call: _Call, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        if not self._tokens.admits(headers):
            # Before the limit and the faults: only who has a token is counted or held.
            await failure(codes.authentication())(scope, receive, _watch(call, send))
            return
        verdict = self._limit.count(_token(headers))
        send = _with_headers(verdict.headers, send)
        if verdict.refused:
            await failure(codes.too_many_calls())(scope, receive, _watch(call, send))
            return
        standing = self._rules.for_call(call.method, call.path, call.account)
        call.fault = standing.id if standing else None
        watched = _watch(call, send)
        if standing is None or await _went_on(standing):
            await self._answer(call, scope, receive, watched)
        else:
            await self._suffer(standing.rule.action, scope, receive, watched)

    async def _answer(self, call: _Call, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the service answer; a failure of its own is an answer in Cloudflare's envelope."""
        try:
            await self._app(scope, receive, send)
        except Exception:
            _LOG.exception("%s %s", call.method, call.path)
            if call.status is not None:
                raise
            await failure(codes.internal("the emulator's log has the reason"))(scope, receive, send)

    async def _suffer(
        self, action: faults.Action, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """What a client sees of a call that fails."""
        if isinstance(action, faults.Answer):
            await failure(_injected(action))(scope, receive, send)
            return
        if isinstance(action, faults.Lose) or (isinstance(action, faults.Silence) and action.done):
            await self._app(scope, receive, _nowhere)
        if isinstance(action, faults.Silence):
            await _gone(receive)
        _cut(scope)


async def _went_on(standing: faults.Standing) -> bool:
    """Waits where the rule says so; whether the call is then done as if there were no rule."""
    action = standing.rule.action
    if isinstance(action, faults.Delay):
        await asyncio.sleep(action.seconds)
    if isinstance(action, faults.Hold):
        await standing.released.wait()
    return isinstance(action, faults.Delay | faults.Hold)


def _watch(call: _Call, send: Send) -> Send:
    async def watched(message: Message) -> None:
        if message["type"] == "http.response.start":
            call.status = message["status"]
        elif message["type"] == "http.response.body" and (call.status or 0) >= 400:
            call.body += message.get("body", b"")
        await send(message)

    return watched


def _with_headers(headers: Mapping[str, str], send: Send) -> Send:
    added = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = {name for name, _ in message["headers"]}
            missing = [each for each in added if each[0] not in given]
            message = {**message, "headers": [*message["headers"], *missing]}
        await send(message)

    return sent if added else send


async def _nowhere(_: Message) -> None:
    """Where a lost answer goes."""


async def _gone(receive: Receive) -> None:
    """Waits until the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _injected(action: faults.Answer) -> Refusal:
    injected = refusal(action.status, action.code, action.message)
    injected.headers.update(action.headers)
    if action.retry is not None:
        injected.headers["x-should-retry"] = str(action.retry).lower()
    return injected


def _cut(scope: Scope) -> None:
    """Closes the connection at once; `server` has put the transport where it can be found."""
    scope["state"]["transport"].abort()


def _token(headers: Mapping[str, str]) -> str:
    return headers.get("authorization", "").removeprefix("Bearer ") or headers.get("x-auth-key", "")
