"""Serve workers.dev: the account's subdomain, and which scripts answer on it.

A script's answer has a field that Cloudflare's does not: `url`, the Worker's address here.
"""

import re
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from flowflare.emulator import codes
from flowflare.emulator.envelope import success
from flowflare.emulator.requests import account_of, json_object, name_of, operation
from flowflare.emulator.runtime.contract import Runtime
from flowflare.emulator.services.accounts.store import AccountsStore
from flowflare.emulator.services.scripts.script import Script
from flowflare.emulator.services.scripts.store import ScriptsStore

_ACCOUNT = "/accounts/{account}/workers/subdomain"
_SCRIPT = "/accounts/{account}/workers/scripts/{script}/subdomain"
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class SubdomainRoutes:
    """Serve the operations of `workers/subdomain` and of a script's `subdomain`."""

    def __init__(self, accounts: AccountsStore, store: ScriptsStore, runtime: Runtime) -> None:
        self._accounts = accounts
        self._store = store
        self._runtime = runtime

    def routes(self) -> list[BaseRoute]:
        """List the operations of this service."""
        return [
            operation("GET", _ACCOUNT, self._get_account),
            operation("PUT", _ACCOUNT, self._put_account),
            operation("GET", _SCRIPT, self._get),
            operation("POST", _SCRIPT, self._set),
            operation("DELETE", _SCRIPT, self._disable),
        ]

    async def _get_account(self, request: Request) -> Response:
        return success({"subdomain": self._accounts.subdomain(account_of(request))})

    async def _put_account(self, request: Request) -> Response:
        subdomain = (await json_object(request)).get("subdomain")
        if not isinstance(subdomain, str) or not _NAME.fullmatch(subdomain):
            raise codes.invalid_body("`subdomain` is not a valid workers.dev subdomain.")
        self._accounts.set_subdomain(account_of(request), subdomain)
        return success({"subdomain": subdomain})

    async def _get(self, request: Request) -> Response:
        script = self._store.get(account_of(request), name_of(request, "script"))
        return success(await self._view(script))

    async def _set(self, request: Request) -> Response:
        asked = await json_object(request)
        if not isinstance(asked.get("enabled"), bool):
            raise codes.invalid_body("`enabled` must be true or false.")
        return await self._change(
            request, enabled=asked["enabled"], previews=bool(asked.get("previews_enabled"))
        )

    async def _disable(self, request: Request) -> Response:
        return await self._change(request, enabled=False, previews=False)

    async def _change(self, request: Request, *, enabled: bool, previews: bool) -> Response:
        account, name = account_of(request), name_of(request, "script")
        script = replace(self._store.get(account, name), enabled=enabled, previews=previews)
        self._store.scripts.save(script)
        await self._runtime.publish(account)
        return success(await self._view(script))

    async def _view(self, script: Script) -> dict[str, object]:
        return {
            "enabled": script.enabled,
            "previews_enabled": script.previews,
            "url": self._runtime.url(script.account, script.name),
        }
