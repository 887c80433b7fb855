"""Serve secrets of scripts."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from flowflare.emulator import codes
from flowflare.emulator.envelope import success
from flowflare.emulator.requests import account_of, json_object, name_of, operation
from flowflare.emulator.runtime.contract import Runtime
from flowflare.emulator.services.scripts.bindings import is_secret
from flowflare.emulator.services.scripts.script import Binding
from flowflare.emulator.services.secrets.store import SecretsStore

_SCRIPT = "/accounts/{account}/workers/scripts/{script}"
_ALL = _SCRIPT + "/secrets"
_ONE = _ALL + "/{secret}"
_MERGE_PATCH = "application/merge-patch+json"


class SecretRoutes:
    """Serve the operations of a script's `secrets` and `secrets-bulk`."""

    def __init__(self, store: SecretsStore, runtime: Runtime) -> None:
        self._store = store
        self._runtime = runtime

    def routes(self) -> list[BaseRoute]:
        """List the operations of this service."""
        return [
            operation("GET", _ALL, self._list),
            operation("PUT", _ALL, self._put),
            operation("PATCH", _SCRIPT + "/secrets-bulk", self._patch),
            operation("GET", _ONE, self._get),
            operation("DELETE", _ONE, self._delete),
        ]

    async def _list(self, request: Request) -> Response:
        secrets = self._store.list_secrets(account_of(request), name_of(request, "script"))
        return success([_view(secret) for secret in secrets])

    async def _get(self, request: Request) -> Response:
        account, script = account_of(request), name_of(request, "script")
        return success(_view(self._store.get(account, script, name_of(request, "secret"))))

    async def _put(self, request: Request) -> Response:
        account, script = account_of(request), name_of(request, "script")
        secret = _read_secret(await json_object(request))
        self._store.put(account, script, secret)
        await self._runtime.publish(account)
        return success(_view(secret))

    async def _patch(self, request: Request) -> Response:
        account, script = account_of(request), name_of(request, "script")
        kind = request.headers.get("content-type", "").split(";")[0]
        if kind not in {_MERGE_PATCH, "application/json"}:
            raise codes.content_type(f"Content-Type must be '{_MERGE_PATCH}'.")
        asked = (await json_object(request)).get("secrets")
        if not isinstance(asked, dict):
            raise codes.invalid_body("`secrets` must be an object.")
        wanted = {name: _read_named(name, given) for name, given in asked.items()}
        self._store.patch(account, script, wanted)
        await self._runtime.publish(account)
        return success([_view(secret) for secret in self._store.list_secrets(account, script)])

    async def _delete(self, request: Request) -> Response:
        account, script = account_of(request), name_of(request, "script")
        self._store.delete(account, script, name_of(request, "secret"))
        await self._runtime.publish(account)
        return success(None)


def _read_named(name: str, given: Any) -> Binding | None:
    if given is None:
        return None
    if not isinstance(given, dict) or given.get("name", name) != name:
        raise codes.invalid_body(f"`secrets.{name}` must be a secret of that name, or null.")
    return _read_secret({**given, "name": name})


def _read_secret(given: dict[str, Any]) -> Binding:
    secret = {"type": "secret_text", **given}
    if not isinstance(secret.get("name"), str) or not is_secret(secret):
        raise codes.invalid_body("A secret needs `name`, `text` and `type`.")
    return secret


def _view(binding: Binding) -> dict[str, Any]:
    return {"name": binding["name"], "type": binding["type"]}
