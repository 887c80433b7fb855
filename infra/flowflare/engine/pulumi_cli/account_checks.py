"""Check the account for `flowflare doctor`: the token, its permissions, the account, zones.

Only a token that may read tokens can list its permissions. If that is refused, each service is
asked for a list: a refusal shows a missing permission, an answer proves only that reading works.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from flowflare.api import Client, Connector
from flowflare.api.retries import Pace, Retries
from flowflare.engine.pulumi_cli.checks import Check
from flowflare.errors import ApiError

#: A permission's name in the dashboard, its name in the API, and a call that needs it.
PERMISSIONS: Final = (
    ("Account, D1, Edit", "D1 Write", "/accounts/{account}/d1/database?per_page=10"),
    (
        "Account, Workers Scripts, Edit",
        "Workers Scripts Write",
        "/accounts/{account}/workers/scripts",
    ),
)
ROUTES: Final = ("Zone, Workers Routes, Edit", "Workers Routes Write")
# A person waits for the answer.
_PACE: Final = Pace(timeout=15.0, retries=Retries(attempts=2, patience=10.0))
_SOON: Final = timedelta(days=14)
_TOKENS: Final = "https://dash.cloudflare.com/profile/api-tokens"


def account_checks(
    base_url: str,
    token: str,
    account: str,
    zones: Sequence[str] = (),
    *,
    api: Connector | None = None,
) -> list[Check]:
    """Check a token and its account, without writing anything.

    Args:
        token: the token; empty if there is none.
        account: the account's ID; empty if there is none.
        zones: IDs of the zones in which the stack has routes or domains.
        api: opens the client.
    """
    if not token:
        remedy = (
            "Set CLOUDFLARE_API_TOKEN, or keep it in the stack's file: "
            "flowflare secrets set cloudflare:apiToken"
        )
        return [Check("token", "fail", "there is no API token", remedy)]
    client = (api or Connector(_PACE)).open(base_url, token)
    verified = _check_token(client, account)
    if verified.status == "fail":
        return [verified]
    checks = [verified, *_check_account(client, account)]
    granted = _list_permissions(client, account)
    if granted is not None:
        return [*checks, *_check_listed(granted, zones)]
    calls = [(shown, path.format(account=account)) for shown, _, path in PERMISSIONS if account]
    calls += [(ROUTES[0], f"/zones/{zone}/workers/routes") for zone in zones]
    return [*checks, *(_check_by_call(client, shown, path) for shown, path in calls)]


def _check_token(client: Client, account: str) -> Check:
    """Verify a user's token, else an account's token, which the user's address refuses."""
    refusal: ApiError | None = None
    for path in (
        "/user/tokens/verify",
        *([f"/accounts/{account}/tokens/verify"] if account else []),
    ):
        try:
            return _check_status(client.call("GET", path) or {})
        except ApiError as error:
            if error.status == 0:
                remedy = "Check the network connection and cloudflare:baseUrl."
                return Check("token", "fail", error.message, remedy)
            refusal = error
    assert refusal is not None
    remedy = f"Create a token ({_TOKENS}) with the permissions that `flowflare docs deploy` lists."
    return Check("token", "fail", f"Cloudflare refuses it: {refusal.message}", remedy)


def _check_status(answer: Mapping[str, Any]) -> Check:
    status = str(answer.get("status"))
    if status != "active":
        return Check("token", "fail", f"the token is {status}", f"Create a new one: {_TOKENS}")
    ends = answer.get("expires_on")
    if isinstance(ends, str) and datetime.fromisoformat(ends) - datetime.now(UTC) < _SOON:
        return Check("token", "warn", f"the token expires at {ends}", f"Roll it in time: {_TOKENS}")
    return Check("token", "ok", "the token is active")


def _check_account(client: Client, account: str) -> list[Check]:
    if not account:
        remedy = "Add under `config:`  flowflare:accountId: <32 hexadecimal digits>"
        return [Check("account", "fail", "the stack does not set an account ID", remedy)]
    try:
        found = client.call("GET", f"/accounts/{account}") or {}
    except ApiError as error:
        if error.status == 404:
            remedy = "Compare flowflare:accountId with the account's home in the dashboard."
            return [Check("account", "fail", f"there is no account {account}", remedy)]
        remedy = "The permission Account, Account Settings, Read allows it; `up` does not need it."
        return [Check("account", "warn", f"{account} cannot be read", remedy)]
    return [Check("account", "ok", f"{found.get('name')} ({account})")]


def _list_permissions(client: Client, account: str) -> set[str] | None:
    """List the token's permission groups by name; None if the token may not read itself."""
    for base in ("/user/tokens", f"/accounts/{account}/tokens"):
        try:
            identity = (client.call("GET", f"{base}/verify") or {}).get("id")
            token = client.call("GET", f"{base}/{identity}") or {}
        except ApiError:
            continue
        policies = token.get("policies") or ()
        allowed = [policy for policy in policies if policy.get("effect") == "allow"]
        return {
            str(group.get("name"))
            for policy in allowed
            for group in policy.get("permission_groups") or ()
        }
    return None


def _check_listed(granted: set[str], zones: Sequence[str]) -> list[Check]:
    wanted = [(shown, name) for shown, name, _ in PERMISSIONS]
    wanted += [ROUTES] if zones else []
    return [
        Check("permission", "ok", shown) if name in granted else _make_missing(shown)
        for shown, name in wanted
    ]


def _check_by_call(client: Client, shown: str, path: str) -> Check:
    try:
        client.call("GET", path)
    except ApiError as error:
        if error.status in (401, 403):
            return _make_missing(shown)
        return Check("permission", "warn", f"{shown}: not known ({error.message})")
    return Check("permission", "ok", f"{shown}: reading works; only a write shows Edit")


def _make_missing(shown: str) -> Check:
    remedy = f"Edit the token ({_TOKENS}) and add it; `up` would fail half-way."
    return Check("permission", "fail", f"{shown}: the token does not have it", remedy)
