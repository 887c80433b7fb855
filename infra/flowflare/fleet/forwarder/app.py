"""Receive calls: check the token, wait for the budget, forward them and return the responses."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from flowflare.api.budget import Budget, Others
from flowflare.api.retries import read_retry_after
from flowflare.fleet.forwarder.address import CallRoute, read_route
from flowflare.fleet.forwarder.envelope import TOO_MANY, ForwarderResponse, hide_ids, make_refusal
from flowflare.fleet.forwarder.limit import MACHINES, UNLIMITED, CallLimit
from flowflare.fleet.forwarder.passing import Body, Receive, forward_headers, make_request
from flowflare.fleet.forwarder.patience import patience_of, retry_after
from flowflare.fleet.forwarder.state import OnBudgetEvent
from flowflare.fleet.forwarder.tally import Tally
from flowflare.fleet.forwarder.turns import HeldTooLong, RunEnded, Turns

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass
class App:
    """The ASGI application of one run.

    Attributes:
        token: the token that each call's path must contain.
        limit_of: returns an API's limit by its base URL.
        on_event: is called when calls begin or cease to wait.
        turns: the waiting calls, by the API's base URL.
    """

    token: str
    client: httpx.AsyncClient
    limit_of: Callable[[str], CallLimit]
    on_event: OnBudgetEvent | None = None
    tally: Tally = field(default_factory=Tally)
    turns: dict[str, Turns] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call, and cancel it if the client disconnects."""
        body = Body(receive)
        disconnect = asyncio.create_task(body.wait_for_disconnect())
        work = asyncio.create_task(self._answer(scope, body, send))
        try:
            await asyncio.wait([work, disconnect], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (work, disconnect):
                task.cancel()
            await asyncio.gather(work, disconnect, return_exceptions=True)
        if not work.cancelled() and (error := work.exception()) is not None:
            raise error

    def close(self) -> None:
        """Answer every waiting call, because the run has ended."""
        for turns in self.turns.values():
            turns.close()

    async def _answer(self, scope: Scope, body: Body, send: Send) -> None:
        route = read_route(self.token, scope["raw_path"], scope["query_string"])
        if route is None:
            text = "this forwarder serves one run, and the address does not belong to that run"
            await _send(send, make_refusal(403, 403, text))
            return
        method: str = scope["method"]
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        turns = self._turns(route.upstream)
        try:
            waited = await turns.take(route.stack, patience_of(headers))
        except HeldTooLong as held:
            wait = retry_after(held.seconds)
            text = f"Please wait: the account's calls are used up for another {held.seconds:.0f} s"
            await _send(send, make_refusal(429, TOO_MANY, text, retry_after=wait))
            return
        except RunEnded:
            text = "the run that this call belongs to has ended"
            await _send(send, make_refusal(503, 503, text))
            return
        self.tally.add(route.stack, method, waited)
        request = make_request(method, route.upstream, route.target, scope["headers"], body)
        await self._forward(request, route, turns, send)

    async def _forward(
        self, request: httpx.Request, route: CallRoute, turns: Turns, send: Send
    ) -> None:
        response = None
        try:
            try:
                response = await self.client.send(request, stream=True)
            finally:
                if response is not None and response.status_code == 429:
                    turns.pause(read_retry_after(response.headers, time.time()) or 0.0)
                turns.give(response.headers if response is not None else None)
        except httpx.HTTPError as error:
            await _send(send, _make_gateway_error(error, request.method, route))
            return
        async with contextlib.aclosing(response):
            headers = forward_headers(response.headers.raw)
            head = {"status": response.status_code, "headers": headers}
            await send({"type": "http.response.start", **head})
            # If the response breaks off here, the client's response stays incomplete, too.
            with contextlib.suppress(httpx.HTTPError):
                async for chunk in response.aiter_raw():
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                await send({"type": "http.response.body", "body": b""})

    def _turns(self, upstream: str) -> Turns:
        if upstream not in self.turns:
            limit = self.limit_of(upstream)
            budget = Budget(
                asyncio.get_running_loop().time,
                _never,
                calls=limit.calls or UNLIMITED,
                window=limit.window,
                others=Others(limit.reserve, MACHINES),
            )
            self.turns[upstream] = Turns(budget, self.on_event)
        return self.turns[upstream]


async def _send(send: Send, answer: ForwarderResponse) -> None:
    head = {"status": answer.status, "headers": answer.headers}
    await send({"type": "http.response.start", **head})
    await send({"type": "http.response.body", "body": answer.body})


def _make_gateway_error(error: httpx.HTTPError, method: str, route: CallRoute) -> ForwarderResponse:
    is_late = isinstance(error, httpx.TimeoutException) and not isinstance(
        error, httpx.ConnectTimeout
    )
    status = 504 if is_late else 502
    cause = str(error) or type(error).__name__
    host = httpx.URL(route.upstream).netloc.decode()
    text = f"flowflare's forwarder got no answer from {host}: {cause}"
    return make_refusal(status, status, f"{text} ({method} {hide_ids(route.path)})")


def _never(seconds: float) -> None:
    raise AssertionError(f"the forwarder's budget must not sleep by itself ({seconds} s)")
