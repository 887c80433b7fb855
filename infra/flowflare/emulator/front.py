"""Route requests for a zone's host, sent to the emulator's port, to the right Worker.

`curl -H 'Host: shop.example.com' http://127.0.0.1:8780/` reaches the Worker of a route or custom
domain. So does http://shop.example.com.localhost:8780/, which browsers resolve to this machine.
WebSockets are not forwarded here. They connect to the Worker's own port with the same `Host`.
"""

import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from flowflare.emulator.runtime.contract import Runtime
from flowflare.emulator.services.routing.store import RoutingStore

if TYPE_CHECKING:
    import httpx

_NAME = re.compile(r"(?P<name>[\w.-]+?\.[\w-]+?)(?:\.localhost)?(?::\d+)?", re.I)
_OWN = frozenset({"host", "connection", "keep-alive", "proxy-connection", "transfer-encoding"})


class FrontDoor:
    """Forward requests to the Workers of their host, and pass all others on.

    Args:
        app: the application that answers all other requests.
    """

    def __init__(self, app: ASGIApp, routing: RoutingStore, runtime: Runtime) -> None:
        self._app = app
        self._routing = routing
        self._runtime = runtime
        self._client: httpx.AsyncClient | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request to its Worker, or pass it on."""
        if scope["type"] == "http":
            request = Request(scope, receive)
            host = _NAME.fullmatch(request.headers.get("host", ""))
            path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            worker = self._routing.find(host["name"], path) if host else None
            if host and worker:
                answer = await self._ask(request, self._runtime.url(*worker) + path, host["name"])
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _ask(self, request: Request, url: str, host: str) -> Response:
        import httpx

        # TLS is never used here, and reading the machine's certificates would take longer than the
        # request. A Worker may take any time to answer.
        self._client = self._client or httpx.AsyncClient(
            verify=False,  # noqa: S501
            timeout=None,  # noqa: S113
            trust_env=False,
        )
        forwarded = [
            (name, value) for name, value in request.headers.raw if name.decode() not in _OWN
        ]
        forward = self._client.build_request(
            request.method,
            url,
            headers=[(b"host", host.encode()), *forwarded],
            content=request.stream() if _has_body(request) else None,
        )
        try:
            answer = await self._client.send(forward, stream=True, follow_redirects=False)
        except httpx.HTTPError as error:
            return PlainTextResponse(f"The Worker did not answer: {error}\n", 503)
        response = StreamingResponse(_body(answer), answer.status_code)
        response.raw_headers = [
            (name.lower(), value)
            for name, value in answer.headers.raw
            if name.decode().lower() not in _OWN
        ]
        return response


def _has_body(request: Request) -> bool:
    return "content-length" in request.headers or "transfer-encoding" in request.headers


async def _body(answer: "httpx.Response") -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    finally:
        await answer.aclose()
