"""Sends a call on to the API as it came, and says what the answer's head is.

Path, query and body go byte for byte, headers but for those of the connection. Nothing is
repeated, followed, decoded or kept.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final

import httpx

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
RawHeaders = Iterable[tuple[bytes, bytes]]
# RFC 9110, 7.6.1; `expect` was answered here.
_CONNECTION: Final = frozenset(
    {
        b"connection",
        b"expect",
        b"host",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
#: Chunks of a body that are read ahead, 64 KiB each.
_AHEAD: Final = 16


class Body(httpx.AsyncByteStream):
    """A request's body, read ahead a little, so that a client that goes away is noticed.

    Args:
        receive: the server's.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue(_AHEAD)

    async def until_gone(self) -> None:
        """Reads until the client goes away."""
        more = True
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                return
            if more and message.get("body"):
                await self._chunks.put(message["body"])
            if more and not message.get("more_body"):
                more = False
                await self._chunks.put(None)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (chunk := await self._chunks.get()) is not None:
            yield chunk


def passed_on(headers: RawHeaders) -> list[tuple[bytes, bytes]]:
    """The headers that are not the connection's own."""
    kept = list(headers)
    named = {
        word.strip().lower()
        for name, value in kept
        if name.lower() == b"connection"
        for word in value.split(b",")
    }
    return [pair for pair in kept if pair[0].lower() not in _CONNECTION | named]


def request_for(
    method: str, upstream: str, target: bytes, headers: RawHeaders, body: Body
) -> httpx.Request:
    """The request to send to the API.

    Args:
        method: the HTTP method.
        upstream: the API's base URL.
        target: path and query, as they stand in the request line.
        headers: the client's.
        body: the client's.
    """
    given = list(headers)
    names = {name.lower() for name, _ in given}
    url = httpx.URL(upstream)
    sent = [(b"host", url.netloc), *passed_on(given)]
    is_chunked = b"transfer-encoding" in names and b"content-length" not in names
    if is_chunked:
        sent.append((b"transfer-encoding", b"chunked"))
    has_body = is_chunked or b"content-length" in names
    return httpx.Request(
        method,
        url,
        headers=sent,
        stream=body if has_body else httpx.ByteStream(b""),
        # httpx would normalize a path that it is given as a URL.
        extensions={"target": target},
    )
