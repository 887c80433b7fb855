"""Check, count and log every API call, and apply fault rules.

It is plain ASGI because a fault must be able to cut the connection, which a response cannot do.
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
from flowflare.emulator.disk import find_disk_problem
from flowflare.emulator.distance import Distances
from flowflare.emulator.doors import Tokens, headers_of
from flowflare.emulator.envelope import Refusal, failure, refusal
from flowflare.emulator.rate_limit import RateLimit
from flowflare.emulator.request_log import Entry, RequestLog
from flowflare.emulator.requests import API
from flowflare.emulator.services.accounts.store import AccountsStore
from flowflare.emulator.unread import answer_early

_LOG = logging.getLogger("emulator")
_ACCOUNT = re.compile(r"/accounts/([0-9a-f]{32})(?:/|$)")
# The operation checks the token of an upload session instead.
_WITH_OWN_TOKEN = re.compile(r"/accounts/[0-9a-f]{32}/workers/assets/upload")


@dataclass
class _Call:
    """Collect the log entry of a running call."""

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
            codes=tuple(problem.get("code", 0) for problem in problems),
            fault=self.fault,
            known=all(problem.get("code") != codes.NOT_EMULATED for problem in problems),
            summary="; ".join(str(problem.get("message", "")) for problem in problems),
            milliseconds=round((time.monotonic() - self.began) * 1000, 1),
        )

    def _problems(self) -> list[dict[str, Any]]:
        if self.status is None or self.status < 400:
            return []
        try:
            errors = json.loads(self.body).get("errors")
        except (json.JSONDecodeError, AttributeError, UnicodeDecodeError):
            return []
        return errors if isinstance(errors, list) else []


@dataclass(frozen=True)
class Gatekeeper:
    """Apply authentication, the limit on calls, fault rules and the log to calls of the API.

    Attributes:
        tokens: the tokens that the API accepts.
        accounts: learns which accounts are in use.
    """

    app: ASGIApp
    tokens: Tokens
    rules: faults.Faults
    log: RequestLog
    limit: RateLimit
    distances: Distances
    accounts: AccountsStore

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a call's token, apply its fault rule, and log the call."""
        if scope["type"] != "http" or not scope["path"].startswith(API):
            await self.app(scope, receive, send)
            return
        path = scope["path"].removeprefix(API)
        account = _ACCOUNT.match(path)
        call = _Call(
            sequence=self.log.next_number(),
            began=time.monotonic(),
            method=scope["method"],
            path=path,
            query=scope["query_string"].decode(errors="replace"),
            account=account.group(1) if account else None,
        )
        try:
            await self.distances.travel(call.account)
            await self._handle(call, scope, receive, send)
        finally:
            self.log.add(call.entry())

    async def _handle(self, call: _Call, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        own_token = _WITH_OWN_TOKEN.fullmatch(call.path)
        refused = None if own_token else self.tokens.refusal(headers)
        if refused is not None:
            # Before the limit and the faults: calls without a valid token are neither counted nor
            # held.
            await answer_early(refused, scope, receive, _watch(call, send))
            return
        if call.account:
            self.accounts.note_use(call.account)
        verdict = self.limit.count(_token(headers))
        send = _with_headers(verdict.headers, send)
        if verdict.refused:
            await answer_early(codes.too_many_calls(), scope, receive, _watch(call, send))
            return
        active = self.rules.for_call(call.method, call.path, call.account)
        call.fault = active.id if active else None
        watched = _watch(call, send)
        if active is None or await _wait_for_rule(active):
            await self._answer(call, scope, receive, watched)
        else:
            await self._fail(active.rule.action, scope, receive, watched)

    async def _answer(self, call: _Call, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the service answer, and wrap its failures in Cloudflare's envelope."""
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            _LOG.exception("%s %s", call.method, call.path)
            if call.status is not None:
                raise
            reason = find_disk_problem(error) or "the emulator's log has the reason"
            await failure(codes.internal(reason))(scope, receive, send)

    async def _fail(
        self, action: faults.Action, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Let the call fail as its rule says."""
        if isinstance(action, faults.Answer):
            await answer_early(_fault_refusal(action), scope, receive, send)
            return
        if isinstance(action, faults.Lose) or (isinstance(action, faults.Silence) and action.done):
            await self.app(scope, receive, _discard)
        if isinstance(action, faults.Silence):
            await _wait_for_disconnect(receive)
        _cut(scope)


async def _wait_for_rule(active: faults.ActiveRule) -> bool:
    """Wait if the rule says so. Returns whether the call is then processed normally."""
    action = active.rule.action
    if isinstance(action, faults.Delay):
        await asyncio.sleep(action.seconds)
    if isinstance(action, faults.Hold):
        await active.released.wait()
    return isinstance(action, faults.Delay | faults.Hold)


def _watch(call: _Call, send: Send) -> Send:
    async def record_and_send(message: Message) -> None:
        if message["type"] == "http.response.start":
            call.status = message["status"]
        elif message["type"] == "http.response.body" and (call.status or 0) >= 400:
            call.body += message.get("body", b"")
        await send(message)

    return record_and_send


def _with_headers(headers: Mapping[str, str], send: Send) -> Send:
    added = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = {name for name, _ in message["headers"]}
            missing = [header for header in added if header[0] not in given]
            message = {**message, "headers": [*message["headers"], *missing]}
        await send(message)

    return send_with_headers if added else send


async def _discard(_: Message) -> None:
    """Discard a lost answer."""


async def _wait_for_disconnect(receive: Receive) -> None:
    """Wait until the client closes the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _fault_refusal(action: faults.Answer) -> Refusal:
    fault = refusal(action.status, action.code, action.message)
    fault.headers.update(action.headers)
    if action.retry is not None:
        fault.headers["x-should-retry"] = str(action.retry).lower()
    return fault


def _cut(scope: Scope) -> None:
    """Close the connection at once, through the transport that `server` stored in the scope."""
    scope["state"]["transport"].abort()


def _token(headers: Mapping[str, str]) -> str:
    return headers.get("authorization", "").removeprefix("Bearer ") or headers.get("x-auth-key", "")
