"""Serve what clients request first: their user, accounts, memberships and token."""

import hashlib

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from flowflare.emulator.envelope import success
from flowflare.emulator.requests import account_of, answer_page, operation
from flowflare.emulator.services.accounts.store import AccountsStore

_SINCE = "2026-01-01T00:00:00Z"


class AccountRoutes:
    """Serve user, accounts, memberships and the token."""

    def __init__(self, store: AccountsStore) -> None:
        self._store = store

    def routes(self) -> list[BaseRoute]:
        """List the operations of this service."""
        return [
            operation("GET", "/user", self._get_user),
            operation("GET", "/user/tokens/verify", self._verify_token),
            operation("GET", "/accounts", self._list_accounts),
            operation("GET", "/accounts/{account}", self._get_account),
            operation("GET", "/memberships", self._list_memberships),
            # wrangler looks for resources that belong to a Worker before it deletes the Worker.
            operation("GET", "/accounts/{account}/containers/applications", self._list_containers),
        ]

    async def _get_user(self, _: Request) -> Response:
        return success({"id": hashlib.md5(b"user").hexdigest(), "email": "user@example.com"})  # noqa: S324

    async def _verify_token(self, request: Request) -> Response:
        token = request.headers.get("authorization", "")
        identity = hashlib.sha256(token.encode()).hexdigest()[:32]
        message = "This API Token is valid and active"
        return success({"id": identity, "status": "active"}, messages=[message])

    async def _list_accounts(self, request: Request) -> Response:
        accounts = [_view(account) for account in self._store.all()]
        return answer_page(request, accounts, per_page=20)

    async def _get_account(self, request: Request) -> Response:
        return success(_view(account_of(request)))

    async def _list_memberships(self, request: Request) -> Response:
        members = [
            {"id": account, "status": "accepted", "account": _view(account), "roles": []}
            for account in self._store.all()
        ]
        return answer_page(request, members, per_page=20)

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
