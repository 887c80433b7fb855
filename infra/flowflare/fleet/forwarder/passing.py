"""Forward a call to the API unchanged.

The path, query and body are forwarded byte for byte, and all headers except those of the
connection. Nothing is retried, redirected, decoded or stored.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final

import httpx

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
RawHeaders = Iterable[tuple[bytes, bytes]]
# RFC 9110, section 7.6.1. The forwarder answers `expect` itself.
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
#: How many chunks of a body are read ahead, each up to 64 KiB.
_AHEAD: Final = 16


class Body(httpx.AsyncByteStream):
    """A request's body. It is read ahead, to notice when the client disconnects."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue(_AHEAD)

    async def wait_for_disconnect(self) -> None:
        """Read until the client disconnects."""
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


def forward_headers(headers: RawHeaders) -> list[tuple[bytes, bytes]]:
    """Return the headers without those that belong to the connection."""
    received = list(headers)
    named = {
        word.strip().lower()
        for name, value in received
        if name.lower() == b"connection"
        for word in value.split(b",")
    }
    return [pair for pair in received if pair[0].lower() not in _CONNECTION | named]


def make_request(
    method: str, upstream: str, target: bytes, headers: RawHeaders, body: Body
) -> httpx.Request:
    """Make the request to the API.

    Args:
        upstream: the API's base URL.
        target: the path and query, as in the request line.
    """
    received = list(headers)
    names = {name.lower() for name, _ in received}
    url = httpx.URL(upstream)
    sent = [(b"host", url.netloc), *forward_headers(received)]
    is_chunked = b"transfer-encoding" in names and b"content-length" not in names
    if is_chunked:
        sent.append((b"transfer-encoding", b"chunked"))
    has_body = is_chunked or b"content-length" in names
    return httpx.Request(
        method,
        url,
        headers=sent,
        stream=body if has_body else httpx.ByteStream(b""),
        # httpx would normalize the path of a URL.
        extensions={"target": target},
    )
