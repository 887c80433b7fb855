"""What doctor says of a token and an account, by what Cloudflare answers."""

from typing import Any

import httpx
import pytest

from flowflare.api import Connector
from flowflare.api.retries import Pace, Retries
from flowflare.engine.pulumi_cli.account_checks import account_checks

ACCOUNT, ZONE, TOKEN = "a" * 32, "b" * 32, "t" * 40
USER, OWNED = "/user/tokens", f"/accounts/{ACCOUNT}/tokens"
D1, SCRIPTS = f"/accounts/{ACCOUNT}/d1/database", f"/accounts/{ACCOUNT}/workers/scripts"
ROUTES = f"/zones/{ZONE}/workers/routes"
ACTIVE = {"id": "id-1", "status": "active"}
Answers = dict[str, Any]
#: What a token with all permissions, which may not read itself, is answered.
GOOD: Answers = {
    f"{USER}/verify": ACTIVE,
    f"/accounts/{ACCOUNT}": {"name": "Shop"},
    D1: [],
    SCRIPTS: [],
    ROUTES: [],
}


def looked_at(answers: Answers, *, token: str = TOKEN, zones: tuple[str, ...] = ()) -> list[str]:
    """Status, name and message of each check; what is not among the answers is refused."""

    def serve(request: httpx.Request) -> httpx.Response:
        assert request.method == "GET", "a check writes nothing"
        result = answers.get(request.url.path.removeprefix("/client/v4"), 403)
        if not isinstance(result, int):
            return httpx.Response(200, json={"success": True, "errors": [], "result": result})
        errors = [{"code": 10000, "message": "Authentication error"}]
        return httpx.Response(result, json={"success": False, "errors": errors})

    pace = Pace(sleep=lambda _: None, retries=Retries(attempts=1))
    api = Connector(pace, transport=lambda: httpx.MockTransport(serve))
    found = account_checks("https://api.test/client/v4", token, ACCOUNT, zones, api=api)
    assert all(check.remedy for check in found if check.status == "fail")
    assert TOKEN not in str(found)
    return [f"{check.status} {check.name}: {check.message}" for check in found]


def test_a_good_token() -> None:
    assert looked_at(GOOD, zones=(ZONE,)) == [
        "ok token: the token is active",
        f"ok account: Shop ({ACCOUNT})",
        "ok permission: Account, D1, Edit: reading works; only a write shows Edit",
        "ok permission: Account, Workers Scripts, Edit: reading works; only a write shows Edit",
        "ok permission: Zone, Workers Routes, Edit: reading works; only a write shows Edit",
    ]


def test_an_accounts_own_token_is_asked_about_at_the_account() -> None:
    own = {**GOOD, f"{USER}/verify": 401, f"{OWNED}/verify": ACTIVE}
    assert looked_at(own)[0] == "ok token: the token is active"


@pytest.mark.parametrize(("path", "shown"), [(D1, "D1"), (SCRIPTS, "Workers Scripts")])
def test_a_missing_permission_is_named_as_the_dashboard_names_it(path: str, shown: str) -> None:
    said = looked_at({**GOOD, path: 403})
    assert f"fail permission: Account, {shown}, Edit: the token does not have it" in said


def test_a_token_that_may_read_itself_shows_what_it_may_write() -> None:
    groups = [{"name": "D1 Write"}, {"name": "Workers Scripts Read"}]
    policies = [{"effect": "allow", "permission_groups": groups}]
    said = looked_at({**GOOD, f"{USER}/id-1": {"policies": policies}})
    assert said[2:] == [
        "ok permission: Account, D1, Edit",
        "fail permission: Account, Workers Scripts, Edit: the token does not have it",
    ]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (401, "fail token: Cloudflare refuses it"),
        ({"status": "disabled"}, "fail token: the token is disabled"),
        ({**ACTIVE, "expires_on": "2020-01-01T00:00:00Z"}, "warn token: the token expires at 2020"),
        ({**ACTIVE, "expires_on": "2999-01-01T00:00:00Z"}, "ok token: the token is active"),
    ],
)
def test_what_is_wrong_with_a_token(answer: Any, said: str) -> None:
    assert looked_at({**GOOD, f"{USER}/verify": answer})[0].startswith(said)


def test_an_account_that_is_not_there_or_not_to_be_seen() -> None:
    own = f"/accounts/{ACCOUNT}"
    assert f"fail account: there is no account {ACCOUNT}" in looked_at({**GOOD, own: 404})
    assert f"warn account: {ACCOUNT} cannot be read" in looked_at({**GOOD, own: 403})


def test_no_token() -> None:
    assert looked_at(GOOD, token="") == ["fail token: there is no API token"]


def test_an_api_that_does_not_answer() -> None:
    [check] = account_checks("http://127.0.0.1:9/client/v4", TOKEN, ACCOUNT)
    assert (check.name, check.status) == ("token", "fail")
    assert "Check the network connection and cloudflare:baseUrl" in check.remedy
