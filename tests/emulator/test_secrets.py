"""Secrets of scripts: many in one transaction, and none while a version is not deployed."""

from typing import Any

import pytest

from flowflare.emulator.process import Running
from tests.emulator.emulated import HELLO, Account, Refused, get, upload

pytestmark = pytest.mark.workerd

SHOW = "export default { fetch: (_, env) => Response.json({ ...env }) };"
PATCH = {"Content-Type": "application/merge-patch+json"}


def secret(name: str, text: str = "s3cret") -> dict[str, str]:
    return {"name": name, "text": text, "type": "secret_text"}


def list_names(account: Account) -> list[str]:
    return [each["name"] for each in account.call("GET", "/workers/scripts/app/secrets")]


def patch(account: Account, **secrets: Any) -> Any:
    return account.call(
        "PATCH", "/workers/scripts/app/secrets-bulk", json={"secrets": secrets}, headers=PATCH
    )


def patch_expecting_refusal(account: Account, body: Any, **headers: str) -> Refused:
    path = "/workers/scripts/app/secrets-bulk"
    return account.expect_refusal("PATCH", path, json=body, headers=PATCH | headers)


def test_secrets_are_set_changed_and_removed_at_once(account: Account) -> None:
    text = {"type": "plain_text", "name": "V", "text": "x"}
    account.put("app", SHOW, bindings=[text, secret("OLD"), secret("SAME", "same")])
    shown = patch(account, NEW=secret("NEW", "new"), OLD=None, NOTHING=None)
    assert shown == {name: {"name": name, "type": "secret_text"} for name in ("NEW", "SAME")}
    assert get(account.enable("app")).json() == {"V": "x", "NEW": "new", "SAME": "same"}
    versions = account.call("GET", "/workers/scripts/app/versions")["items"]
    assert len(versions) == 2


@pytest.mark.parametrize(
    ("secrets", "code"),
    [
        ({"GOOD": secret("GOOD"), "V": secret("V")}, 10053),
        ({"GOOD": secret("GOOD"), "BAD": secret("OTHER")}, 10001),
        ({"GOOD": secret("GOOD"), "BAD": {"type": "secret_text", "name": "BAD"}}, 10021),
        ({f"S{number}": secret(f"S{number}") for number in range(101)}, 10001),
        ([], 10001),
    ],
)
def test_one_invalid_secret_leaves_all_unchanged(account: Account, secrets: Any, code: int) -> None:
    account.put("app", bindings=[{"type": "plain_text", "name": "V", "text": "x"}])
    refused = patch_expecting_refusal(account, {"secrets": secrets})
    assert refused.errors[0][0] == code
    assert list_names(account) == []


def test_a_secret_whose_type_is_not_text_is_refused(account: Account) -> None:
    account.put("app")
    body = {"name": "A", "text": "x", "type": [1]}
    assert account.expect_refusal("PUT", "/workers/scripts/app/secrets", json=body).status == 400


def test_a_body_of_another_type_is_refused(account: Account) -> None:
    account.put("app")
    refused = patch_expecting_refusal(account, {"secrets": {}}, **{"Content-Type": "text/plain"})
    assert (refused.status, refused.errors[0][0]) == (415, 10001)


def test_nothing_is_edited_while_a_version_waits_to_be_deployed(account: Account) -> None:
    account.put("app", bindings=[secret("KEY")])
    script = "/workers/scripts/app"
    waiting = account.call("POST", f"{script}/versions", files=upload(HELLO))
    refused = [
        account.expect_refusal("PUT", f"{script}/secrets", json=secret("NEW")),
        account.expect_refusal("DELETE", f"{script}/secrets/KEY"),
        patch_expecting_refusal(account, {"secrets": {"NEW": secret("NEW")}}),
    ]
    assert [each.errors[0][0] for each in refused] == [10215] * 3
    settings = {"settings": (None, '{"logpush": true}', "application/json")}
    assert (
        account.expect_refusal("PATCH", f"{script}/settings", files=settings).errors[0][0] == 10214
    )
    body = {
        "strategy": "percentage",
        "versions": [{"version_id": waiting["id"], "percentage": 100}],
    }
    account.call("POST", f"{script}/deployments", json=body)
    account.call("PUT", f"{script}/secrets", json=secret("NEW"))
    assert list_names(account) == ["NEW"]


def test_the_official_sdk_changes_many(account: Account, cloud: Running) -> None:
    from cloudflare import Cloudflare

    account.put("app")
    with Cloudflare(base_url=cloud.base_url, api_token=cloud.token, max_retries=0) as sdk:
        bulk = sdk.workers.scripts.secrets.bulk_update
        given: Any = {"A": secret("A"), "B": secret("B")}
        bulk("app", account_id=account.id, secrets=given)
    assert list_names(account) == ["A", "B"]
