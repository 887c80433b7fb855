"""Answer a call whose body was not read, so that the client receives the answer.

A server that closes a connection with unread data resets it, and the client reports "write EPIPE"
instead of the answer. The answer is sent at once; the rest of the body is then read and dropped,
within bounds of size and time, before the connection is closed.
"""

import asyncio
from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from flowflare.emulator.envelope import Refusal, failure

MOST_DROPPED = 128 * 1024 * 1024
"""Bytes of a refused body that are read. An upload has at most 100 MB."""
_PATIENCE = 10.0


@dataclass(frozen=True)
class EarlyAnswer:
    """Send a response, then drop the request's body before the response ends."""

    response: Response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response and drop the body."""

        async def send_and_drop(message: Message) -> None:
            if message["type"] != "http.response.body" or message.get("more_body"):
                await send(message)
                return
            # The announced length is sent, so the client has the whole answer.
            await send({**message, "more_body": True})
            is_read = await _drop(receive)
            await send({"type": "http.response.body", "body": b""})
            if not is_read:
                scope["state"]["transport"].close()

        await self.response(scope, receive, send_and_drop)


async def answer_early(refused: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with a refusal before the body was read."""
    await EarlyAnswer(failure(refused))(scope, receive, send)


async def _drop(receive: Receive) -> bool:
    """Read and drop a body. Returns False if its client sends too much or takes too long."""
    size = 0
    try:
        async with asyncio.timeout(_PATIENCE):
            while size <= MOST_DROPPED:
                message = await receive()
                size += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body"):
                    return True
    except TimeoutError:
        return False
    return False
