"""Serve secrets stores and their secrets. No answer has the value of a secret."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from flowflare.emulator import codes
from flowflare.emulator.envelope import success
from flowflare.emulator.requests import Service, answer_page, flag, json_body, json_object, serves
from flowflare.emulator.services.secrets_store.store import SecretStores
from flowflare.emulator.services.targets.secret import SECRET, STORE
from flowflare.emulator.services.targets.target import Target

_STORES = "/accounts/{account}/secrets_store/stores"
_STORE = _STORES + "/{store}"
_SECRETS = _STORE + "/secrets"
_SECRET = _SECRETS + "/{secret}"
_ORDERS = ("name", "comment", "created", "modified", "status")


class SecretsStoreRoutes(Service[SecretStores]):
    """Serve the operations below `secrets_store`."""

    @serves("GET", _STORES)
    async def _list_stores(self, request: Request, account: str) -> Response:
        return _answer_list(
            request, [_view_store(each) for each in self._store.list_stores(account)]
        )

    @serves("POST", _STORES)
    async def _create_store(self, request: Request, account: str) -> Response:
        return success(_view_store(self._store.create_store(account, await json_object(request))))

    @serves("GET", _STORE)
    async def _get_store(self, _: Request, account: str, store: str) -> Response:
        return success(_view_store(self._store.get_store(account, store)))

    @serves("DELETE", _STORE)
    async def _delete_store(self, request: Request, account: str, store: str) -> Response:
        shown = _view_store(self._store.get_store(account, store))
        self._store.delete_store(account, store, force=flag(request, "force"))
        await self._runtime.publish(account)
        return success(shown)

    @serves("GET", _SECRETS)
    async def _list_secrets(self, request: Request, account: str, store: str) -> Response:
        """List secrets, filtered by `search` in names and comments, and by `scopes`."""
        search = request.query_params.get("search", "")
        scopes = set(request.query_params.getlist("scopes"))
        shown = [_view_secret(each) for each in self._store.list_secrets(account, store)]
        found = [
            each
            for each in shown
            if (search in each["name"] or search in each["comment"])
            and (not scopes or scopes & set(each["scopes"]))
        ]
        return _answer_list(request, found)

    @serves("POST", _SECRETS)
    async def _create_secrets(self, request: Request, account: str, store: str) -> Response:
        asked = await json_body(request)
        if not isinstance(asked, list):
            raise codes.invalid_body("The request body is not a list of secrets.")
        created = [self._store.create_secret(account, store, each) for each in asked]
        await self._runtime.publish(account)
        return success([_view_secret(each) for each in created])

    @serves("GET", _SECRET)
    async def _get_secret(self, _: Request, account: str, store: str, secret: str) -> Response:
        return success(_view_secret(self._store.get_secret(account, store, secret)))

    @serves("PATCH", _SECRET)
    async def _edit_secret(
        self, request: Request, account: str, store: str, secret: str
    ) -> Response:
        asked = await json_object(request)
        edited = self._store.edit_secret(account, store, secret, asked)
        await self._runtime.publish(account)
        return success(_view_secret(edited))

    @serves("DELETE", _SECRET)
    async def _delete_secret(self, _: Request, account: str, store: str, secret: str) -> Response:
        shown = _view_secret(self._store.get_secret(account, store, secret))
        self._store.delete_secret(account, store, secret)
        await self._runtime.publish(account)
        return success(shown)

    @serves("POST", _SECRET + "/duplicate")
    async def _duplicate_secret(
        self, request: Request, account: str, store: str, secret: str
    ) -> Response:
        asked = await json_object(request)
        return success(_view_secret(self._store.duplicate_secret(account, store, secret, asked)))


def _answer_list(request: Request, shown: list[dict[str, Any]]) -> Response:
    """Answer with a page of a list, in the order that the query asks for."""
    order = request.query_params.get("order", "name")
    if order in _ORDERS:
        descending = request.query_params.get("direction") == "desc"
        shown = sorted(shown, key=lambda each: str(each.get(order, "")), reverse=descending)
    return answer_page(request, shown)


def _view_store(target: Target) -> dict[str, Any]:
    return STORE.view(target, _no_uses)


def _view_secret(target: Target) -> dict[str, Any]:
    return SECRET.view(target, _no_uses)


def _no_uses() -> Any:
    return None
