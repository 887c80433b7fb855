"""Serve workers.dev: the account's subdomain, and which scripts answer on it.

A script's answer has a field that Cloudflare's does not: `url`, the Worker's address here.
"""

import re
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from flowflare.emulator import codes
from flowflare.emulator.envelope import success
from flowflare.emulator.requests import Service, json_object, serves
from flowflare.emulator.runtime.contract import Runtime
from flowflare.emulator.services.accounts.store import AccountsStore
from flowflare.emulator.services.scripts.script import Script
from flowflare.emulator.services.scripts.store import ScriptsStore

_ACCOUNT = "/accounts/{account}/workers/subdomain"
_SCRIPT = "/accounts/{account}/workers/scripts/{name}/subdomain"
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class SubdomainRoutes(Service[ScriptsStore]):
    """Serve the operations of `workers/subdomain` and of a script's `subdomain`."""

    def __init__(self, accounts: AccountsStore, store: ScriptsStore, runtime: Runtime) -> None:
        super().__init__(store, runtime)
        self._accounts = accounts

    @serves("GET", _ACCOUNT)
    async def _get_account(self, _: Request, account: str) -> Response:
        return success({"subdomain": self._accounts.subdomain(account)})

    @serves("PUT", _ACCOUNT)
    async def _put_account(self, request: Request, account: str) -> Response:
        subdomain = (await json_object(request)).get("subdomain")
        if not isinstance(subdomain, str) or not _NAME.fullmatch(subdomain):
            raise codes.invalid_body("`subdomain` is not a valid workers.dev subdomain.")
        self._accounts.set_subdomain(account, subdomain)
        return success({"subdomain": subdomain})

    @serves("GET", _SCRIPT)
    async def _get(self, _: Request, account: str, name: str) -> Response:
        return success(await self._view(self._store.get(account, name)))

    @serves("POST", _SCRIPT)
    async def _set(self, request: Request, account: str, name: str) -> Response:
        asked = await json_object(request)
        if not isinstance(asked.get("enabled"), bool):
            raise codes.invalid_body("`enabled` must be true or false.")
        return await self._change(
            account, name, enabled=asked["enabled"], previews=bool(asked.get("previews_enabled"))
        )

    @serves("DELETE", _SCRIPT)
    async def _disable(self, _: Request, account: str, name: str) -> Response:
        return await self._change(account, name, enabled=False, previews=False)

    async def _change(self, account: str, name: str, *, enabled: bool, previews: bool) -> Response:
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
