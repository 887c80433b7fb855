"""Serve tails: WebSockets on which Workers' logs and outcomes arrive."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from flowflare.emulator.envelope import success
from flowflare.emulator.requests import Service, json_object, serves
from flowflare.emulator.services.tails.store import Tail, TailsStore

_ALL = "/accounts/{account}/workers/scripts/{script}/tails"


class TailRoutes(Service[TailsStore]):
    """Serve the operations of a script's `tails`. The Node child serves their WebSockets."""

    @serves("GET", _ALL)
    async def _get(self, _: Request, account: str, script: str) -> Response:
        """Return one tail, as the reference has it: of several, the last in the list."""
        tails = self._store.list_tails(account, script)
        return success(await self._view(tails[-1]) if tails else None)

    @serves("POST", _ALL)
    async def _create(self, request: Request, account: str, script: str) -> Response:
        body = await json_object(request) if await request.body() else {}
        tail = self._store.create(account, script, body)
        await self._runtime.publish(account)
        return success(await self._view(tail))

    @serves("DELETE", _ALL + "/{tail}")
    async def _delete(self, _: Request, account: str, script: str, tail: str) -> Response:
        self._store.delete(account, script, tail)
        await self._runtime.publish(account)
        return JSONResponse({"success": True, "errors": [], "messages": []})

    async def _view(self, tail: Tail) -> dict[str, Any]:
        port = await self._runtime.tails_port()
        url = f"ws://127.0.0.1:{port}/{tail.id}"
        return {"id": tail.id, "url": url, "expires_at": tail.expires_at}
