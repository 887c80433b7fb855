"""Who may call: this machine, with a token. Unknown operations are named, and calls are logged."""

import secrets
import socket

import httpx
import pytest
from cloudflare import BadRequestError, Cloudflare, InternalServerError

from flowflare.emulator.codes import NOT_EMULATED
from flowflare.emulator.process import Running
from tests.emulator.emulated import Account, bearer, get

pytestmark = pytest.mark.workerd

# The token of every project before each data folder had its own.
FORMER = "flowflare-embedded-cloudflare-no-secret-0"


def test_a_call_without_the_tokens_of_this_data_is_refused(cloud: Running) -> None:
    """A token as well-formed as Cloudflare's own is refused too."""
    for headers in [
        bearer(FORMER),
        bearer(secrets.token_hex(20)),
        {"X-Auth-Key": "a" * 37, "X-Auth-Email": "user@example.com"},
    ]:
        response = get(f"{cloud.base_url}/user", headers=headers)
        assert response.status_code == 403
        assert response.json()["errors"] == [{"code": 10000, "message": "Authentication error"}]


def test_a_call_without_credentials_is_refused(cloud: Running) -> None:
    for headers in [
        {},
        {"Authorization": f"Basic {cloud.token}"},
        {"Authorization": cloud.token},
        {"X-Auth-Key": cloud.token},
        {"X-Auth-Email": "user@example.com"},
    ]:
        response = get(f"{cloud.base_url}/user", headers=headers)
        assert response.status_code == 400
        message = "Missing X-Auth-Key, X-Auth-Email or Authorization headers"
        assert response.json()["errors"] == [{"code": 9106, "message": message}]


@pytest.mark.parametrize(
    ("headers", "code", "name"),
    [
        ({"Authorization": "Bearer short"}, 6111, "Authorization"),
        ({"Authorization": f"Bearer {'a' * 40} x"}, 6111, "Authorization"),
        ({"Authorization": "Bearer"}, 6111, "Authorization"),
        ({"X-Auth-Key": "short", "X-Auth-Email": "user@example.com"}, 6103, "X-Auth-Key"),
    ],
)
def test_a_malformed_header_is_refused(
    cloud: Running, headers: dict[str, str], code: int, name: str
) -> None:
    response = get(f"{cloud.base_url}/user", headers=headers)
    assert response.status_code == 400
    error = response.json()["errors"][0]
    assert (error["code"], error["message"]) == (6003, "Invalid request headers")
    assert error["error_chain"] == [{"code": code, "message": f"Invalid format for {name} header"}]


def test_the_official_sdk_takes_the_refusals_and_the_account(account: Account) -> None:
    account.call("GET", "/storage/kv/namespaces")
    url = account.running.base_url
    with Cloudflare(api_token="short", base_url=url) as client, pytest.raises(BadRequestError):
        client.user.get()
    with Cloudflare(
        api_token=account.running.token, base_url=url, _strict_response_validation=True
    ) as client:
        assert client.accounts.tokens.verify(account_id=account.id).status == "active"
        assert client.user.tokens.verify().status == "active"
        assert account.id in [each.id for each in client.accounts.list(per_page=50)]
        with pytest.raises(InternalServerError) as raised:
            client.stream.list(account_id=account.id)
    assert raised.value.status_code == 501
    calls = [each for each in account.log() if each["path"].endswith("/stream")]
    assert [(each["known"], each["status"]) for each in calls] == [(False, 501)]


def test_the_token_is_accepted_as_a_key_with_its_email(cloud: Running) -> None:
    headers = {"X-Auth-Key": cloud.token, "X-Auth-Email": "user@example.com"}
    assert get(f"{cloud.base_url}/user", headers=headers).status_code == 200


@pytest.mark.parametrize("host", ["attacker.example", "127.0.0.1.attacker.example", ""])
def test_the_name_of_another_machine_is_refused(account: Account, host: str) -> None:
    account.put("app")
    headers = {**bearer(account.running.token), "Host": host}
    addresses = [f"{account.running.base_url}/user", f"{account.root}/emulator/health"]
    for address in [*addresses, account.enable("app")]:
        assert get(address, headers=headers).status_code == 403


def test_localhost_is_this_machine(cloud: Running) -> None:
    headers = {**bearer(cloud.token), "Host": f"localhost:{cloud.port}"}
    assert get(f"{cloud.base_url}/user", headers=headers).status_code == 200


def test_the_emulator_listens_only_on_loopback(account: Account) -> None:
    account.put("app")
    port = int(account.enable("app").rpartition(":")[2])
    own = socket.gethostbyname(socket.gethostname())
    if own.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    for open_port in (port, account.running.port):
        with socket.socket() as knock:
            assert knock.connect_ex((own, open_port)) != 0


def test_an_invalid_account_is_refused(cloud: Running) -> None:
    headers = bearer(cloud.token)
    response = get(f"{cloud.base_url}/accounts/acc-1/d1/database", headers=headers)
    assert response.status_code == 404
    error = response.json()["errors"][0]
    assert error["code"] == 7003
    assert error["message"].startswith("Could not route to /client/v4/accounts/acc-1/d1/database")


@pytest.mark.parametrize(("method", "path"), [("GET", "/images/v1"), ("PATCH", "/d1/database")])
def test_an_unknown_operation_is_named(account: Account, method: str, path: str) -> None:
    refused = account.expect_refusal(method, path)
    assert refused.status == 501
    code, text = refused.errors[0]
    assert code == NOT_EMULATED
    assert f"does not know the operation {method} /accounts/{account.id}{path}" in text
    entry = account.log()[-1]
    assert (entry["known"], entry["status"], entry["codes"]) == (False, 501, [NOT_EMULATED])


def test_the_log_lists_the_calls_since_a_number(account: Account) -> None:
    account.call("GET", "/d1/database")
    first = account.log()[-1]
    account.expect_refusal("POST", "/d1/database", json={"name": ""})
    since = f"/requests?account={account.id}&since={first['sequence']}"
    entries = account.control("GET", since)
    assert [(each["method"], each["status"]) for each in entries] == [("POST", 400)]
    assert entries[0]["codes"] == [7400]
    assert entries[0]["sequence"] > first["sequence"]
    assert first["path"] == f"/accounts/{account.id}/d1/database"


def test_who_am_i(account: Account) -> None:
    headers = bearer(account.running.token)
    with httpx.Client(base_url=account.running.base_url, headers=headers) as client:
        account.database()
        assert client.get("/user").json()["result"]["email"]
        assert client.get("/user/tokens/verify").json()["result"]["status"] == "active"
        accounts = client.get("/accounts", params={"per_page": 1000}).json()["result"]
        assert account.id in [each["id"] for each in accounts]
        members = client.get("/memberships", params={"per_page": 1000}).json()["result"]
        assert account.id in [each["account"]["id"] for each in members]
        one = client.get(f"/accounts/{account.id}").json()["result"]
        assert one["id"] == account.id


def test_an_account_has_a_subdomain_and_may_change_it(account: Account) -> None:
    path = "/workers/subdomain"
    assert account.call("GET", path) == {"subdomain": f"account-{account.id[:8]}"}
    name = f"mine-{secrets.token_hex(3)}"
    assert account.call("PUT", path, json={"subdomain": name}) == {"subdomain": name}
    assert account.call("GET", path) == {"subdomain": name}
    refused = account.expect_refusal("PUT", path, json={"subdomain": "Not A Name"})
    assert (refused.status, refused.errors[0][0]) == (400, 10001)
