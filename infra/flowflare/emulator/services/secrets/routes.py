"""Serve secrets of scripts."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from flowflare.emulator import codes
from flowflare.emulator.envelope import success
from flowflare.emulator.requests import Service, json_object, serves
from flowflare.emulator.services.scripts.bindings import is_secret
from flowflare.emulator.services.scripts.script import Binding
from flowflare.emulator.services.secrets.store import SecretsStore

_SCRIPT = "/accounts/{account}/workers/scripts/{script}"
_ALL = _SCRIPT + "/secrets"
_ONE = _ALL + "/{secret}"
_MERGE_PATCH = "application/merge-patch+json"


class SecretRoutes(Service[SecretsStore]):
    """Serve the operations of a script's `secrets` and `secrets-bulk`."""

    @serves("GET", _ALL)
    async def _list(self, _: Request, account: str, script: str) -> Response:
        secrets = self._store.list_secrets(account, script)
        return success([_view(secret) for secret in secrets])

    @serves("GET", _ONE)
    async def _get(self, _: Request, account: str, script: str, secret: str) -> Response:
        return success(_view(self._store.get(account, script, secret)))

    @serves("PUT", _ALL)
    async def _put(self, request: Request, account: str, script: str) -> Response:
        secret = _read_secret(await json_object(request))
        self._store.put(account, script, secret)
        await self._runtime.publish(account)
        return success(_view(secret))

    @serves("PATCH", _SCRIPT + "/secrets-bulk")
    async def _patch(self, request: Request, account: str, script: str) -> Response:
        kind = request.headers.get("content-type", "").split(";")[0]
        if kind not in {_MERGE_PATCH, "application/json"}:
            raise codes.content_type(f"Content-Type must be '{_MERGE_PATCH}'.")
        asked = (await json_object(request)).get("secrets")
        if not isinstance(asked, dict):
            raise codes.invalid_body("`secrets` must be an object.")
        wanted = {name: _read_named(name, given) for name, given in asked.items()}
        self._store.patch(account, script, wanted)
        await self._runtime.publish(account)
        secrets = self._store.list_secrets(account, script)
        return success({str(secret["name"]): _view(secret) for secret in secrets})

    @serves("DELETE", _ONE)
    async def _delete(self, _: Request, account: str, script: str, secret: str) -> Response:
        self._store.delete(account, script, secret)
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
