"""HTTP for what clients ask before they do anything: who am I, which accounts are mine."""

import hashlib

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from flowflare.emulator.envelope import page_of, success
from flowflare.emulator.requests import account_of, number, operation
from flowflare.emulator.services.accounts.store import AccountsStore

_SINCE = "2026-01-01T00:00:00Z"


class AccountRoutes:
    """User, accounts, memberships, the token."""

    def __init__(self, store: AccountsStore) -> None:
        self._store = store

    def routes(self) -> list[BaseRoute]:
        """The operations this service answers."""
        return [
            operation("GET", "/user", self._user),
            operation("GET", "/user/tokens/verify", self._verify),
            operation("GET", "/accounts", self._accounts),
            operation("GET", "/accounts/{account}", self._account),
            operation("GET", "/memberships", self._memberships),
            # wrangler looks for what hangs on a Worker before it deletes the Worker.
            operation("GET", "/accounts/{account}/containers/applications", self._none),
        ]

    async def _user(self, _: Request) -> Response:
        return success({"id": hashlib.md5(b"user").hexdigest(), "email": "user@example.com"})  # noqa: S324

    async def _verify(self, request: Request) -> Response:
        token = request.headers.get("authorization", "")
        identity = hashlib.sha256(token.encode()).hexdigest()[:32]
        message = "This API Token is valid and active"
        return success({"id": identity, "status": "active"}, messages=[message])

    async def _accounts(self, request: Request) -> Response:
        page, per_page = number(request, "page", 1), number(request, "per_page", 20)
        part, info = page_of(self._store.all(), page=page, per_page=per_page)
        return success([_account(each) for each in part], info=info)

    async def _account(self, request: Request) -> Response:
        return success(_account(account_of(request)))

    async def _memberships(self, request: Request) -> Response:
        page, per_page = number(request, "page", 1), number(request, "per_page", 20)
        part, info = page_of(self._store.all(), page=page, per_page=per_page)
        members = [
            {"id": each, "status": "accepted", "account": _account(each), "roles": []}
            for each in part
        ]
        return success(members, info=info)

    async def _none(self, request: Request) -> Response:
        page, per_page = number(request, "page", 1), number(request, "per_page", 20)
        part, info = page_of([], page=page, per_page=per_page)
        return success(part, info=info)


def _account(account: str) -> dict[str, object]:
    return {
        "id": account,
        "name": f"Account {account[:8]}",
        "type": "standard",
        "created_on": _SINCE,
        "settings": {"enforce_twofactor": False},
    }
