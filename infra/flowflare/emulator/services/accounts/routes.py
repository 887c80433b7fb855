"""Serve what clients request first: their user, accounts, memberships and token."""

import hashlib

from starlette.requests import Request
from starlette.responses import Response

from flowflare.emulator.envelope import success
from flowflare.emulator.requests import Routes, answer_page, serves
from flowflare.emulator.services.accounts.store import AccountsStore

_SINCE = "2026-01-01T00:00:00Z"


class AccountRoutes(Routes):
    """Serve user, accounts, memberships and the token."""

    def __init__(self, store: AccountsStore) -> None:
        self._store = store

    @serves("GET", "/user")
    async def _get_user(self, _: Request) -> Response:
        return success({"id": hashlib.md5(b"user").hexdigest(), "email": "user@example.com"})  # noqa: S324

    @serves("GET", "/user/tokens/verify")
    async def _verify_token(self, request: Request) -> Response:
        token = request.headers.get("authorization", "")
        identity = hashlib.sha256(token.encode()).hexdigest()[:32]
        message = "This API Token is valid and active"
        return success({"id": identity, "status": "active"}, messages=[message])

    @serves("GET", "/accounts/{account}/tokens/verify")
    async def _verify_account_token(self, request: Request, account: str) -> Response:
        del account
        return await self._verify_token(request)

    @serves("GET", "/accounts")
    async def _list_accounts(self, request: Request) -> Response:
        accounts = [_view(account) for account in self._store.all()]
        return answer_page(request, accounts, per_page=20)

    @serves("GET", "/accounts/{account}")
    async def _get_account(self, _: Request, account: str) -> Response:
        return success(_view(account))

    @serves("GET", "/memberships")
    async def _list_memberships(self, request: Request) -> Response:
        members = [
            {"id": account, "status": "accepted", "account": _view(account), "roles": []}
            for account in self._store.all()
        ]
        return answer_page(request, members, per_page=20)

    # wrangler looks for resources that belong to a Worker before it deletes the Worker.
    @serves("GET", "/accounts/{account}/containers/applications")
    async def _list_containers(self, request: Request) -> Response:
        return answer_page(request, [], per_page=20)


def _view(account: str) -> dict[str, object]:
    return {
        "id": account,
        "name": f"Account {account[:8]}",
        "type": "standard",
        "created_on": _SINCE,
        "settings": {"enforce_twofactor": False},
    }
