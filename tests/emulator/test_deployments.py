"""Deployments: shares of versions are stored and shown; requests go to the largest share."""

from typing import Any

import pytest

from flowflare.emulator.process import Running
from tests.emulator.emulated import Account, get, upload

pytestmark = pytest.mark.workerd

PATH = "/workers/scripts/app/deployments"
SETTINGS = "/workers/scripts/app/script-settings"


def says(word: str) -> str:
    return f"export default {{ fetch: () => new Response('{word}') }};"


def two_versions(account: Account) -> tuple[str, str]:
    account.put("app", says("old"))
    old = account.call("GET", "/workers/scripts/app/versions")["items"][0]["id"]
    new = account.call("POST", "/workers/scripts/app/versions", files=upload(says("new")))["id"]
    return old, new


def split(**shares: Any) -> dict[str, Any]:
    versions = [{"version_id": key, "percentage": share} for key, share in shares.items()]
    return {"strategy": "percentage", "versions": versions}


def test_requests_go_to_the_larger_share_and_the_newest_deployment_is_first(
    account: Account,
) -> None:
    old, new = two_versions(account)
    url = account.enable("app")
    (uploaded,) = account.call("GET", PATH)["deployments"]
    assert uploaded["versions"] == [{"version_id": old, "percentage": 100}]
    canary = account.call("POST", PATH, json=split(**{old: 90, new: 10}))
    assert get(url).text == "old"
    most = account.call("POST", PATH, json=split(**{old: 10, new: 90}))
    assert get(url).text == "new"
    assert [each["id"] for each in account.call("GET", PATH)["deployments"]] == [
        most["id"],
        canary["id"],
    ]
    assert account.call("GET", f"{PATH}/{canary['id']}")["versions"] == canary["versions"]
    account.put("app", says("newest"))
    newest = account.call("GET", PATH)["deployments"][0]["versions"]
    assert [each["percentage"] for each in newest] == [100]
    assert newest[0]["version_id"] not in {old, new}


def test_shares_that_do_not_total_100_are_refused(account: Account) -> None:
    old, new = two_versions(account)
    wrong: list[dict[str, Any]] = [
        split(**{old: 50, new: 40}),
        split(**{old: 101, new: -1}),
        split(**{old: "100"}),
        split(),
        {"strategy": "percentage", "versions": split(**{old: 50})["versions"] * 2},
        {**split(**{old: 100}), "strategy": "all"},
    ]
    assert [account.expect_refusal("POST", PATH, json=body).errors[0][0] for body in wrong] == [
        10001
    ] * 6
    unknown = split(**{old: 50, "00000000-0000-4000-8000-000000000000": 50})
    assert account.expect_refusal("POST", PATH, json=unknown).errors[0][0] == 100146
    assert account.expect_refusal("GET", f"{PATH}/nothing").errors[0][0] == 10336
    assert len(account.call("GET", PATH)["deployments"]) == 1


def test_the_official_sdk_deploys(account: Account, cloud: Running) -> None:
    from cloudflare import Cloudflare

    old, new = two_versions(account)
    with Cloudflare(base_url=cloud.base_url, api_token=cloud.token, max_retries=0) as sdk:
        deployments = sdk.workers.scripts.deployments
        body: Any = split(**{old: 25, new: 75})
        made = deployments.create("app", account_id=account.id, **body)
        shown = deployments.get(made.id, account_id=account.id, script_name="app")
        assert [(each.version_id, each.percentage) for each in shown.versions] == [
            (old, 25),
            (new, 75),
        ]


def test_a_share_of_nothing_is_stored_and_gets_no_requests(account: Account) -> None:
    old, new = two_versions(account)
    url = account.enable("app")
    account.call("POST", PATH, json=split(**{new: 0, old: 100}))
    assert get(url).text == "old"
    shown = account.call("GET", PATH)["deployments"][0]["versions"]
    assert [(each["version_id"], each["percentage"]) for each in shown] == [(new, 0), (old, 100)]


def test_settings_of_the_script_make_no_version_and_outlive_a_rollback(account: Account) -> None:
    old, new = two_versions(account)
    account.call("POST", PATH, json=split(**{old: 60, new: 40}))
    before = account.call("GET", PATH)["deployments"]
    on = {"observability": {"enabled": True}, "tags": ["a"], "logpush": True}
    changed = account.call("PATCH", SETTINGS, json=on)
    assert {key: changed[key] for key in on} == on
    assert account.call("GET", PATH)["deployments"] == before
    assert len(account.call("GET", "/workers/scripts/app/versions")["items"]) == 2
    for version in (new, old):
        account.call("POST", PATH, json=split(**{version: 100}))
        shown = account.call("GET", SETTINGS)
        assert {key: shown[key] for key in on} == on
    account.call("PATCH", SETTINGS, json=dict.fromkeys(on))
    shown = account.call("GET", SETTINGS)
    assert "observability" not in shown
    assert (shown["tags"], shown["logpush"]) == ([], False)


def test_a_version_does_not_change_the_settings_of_its_script(account: Account) -> None:
    account.put("app", says("old"), observability={"enabled": True})
    files = upload(says("new"), observability={"enabled": False})
    new = account.call("POST", "/workers/scripts/app/versions", files=files)["id"]
    account.call("POST", PATH, json=split(**{new: 100}))
    assert account.call("GET", SETTINGS)["observability"] == {"enabled": True}


def test_observability_that_was_never_given_is_not_shown(account: Account) -> None:
    answered = account.put("app", says("old"), compatibility_date="")
    service = account.call("GET", "/workers/services/app")["default_environment"]["script"]
    (listed,) = account.call("GET", "/workers/scripts")
    settings = account.call("GET", "/workers/scripts/app/settings")
    views = (answered, service, listed, settings, account.call("GET", SETTINGS))
    assert not [view for view in views if "observability" in view]
    assert "compatibility_date" not in settings


def test_content_is_that_of_the_version_asked_for(account: Account) -> None:
    old, new = two_versions(account)
    path = "/workers/scripts/app/content/v2"
    for version, word in ((None, "old"), (old, "old"), (new, "new")):
        asked = {"version": version} if version else {}
        response = account.http.get(path, params=asked)
        assert f"Response('{word}')" in response.text
        assert f'name="{response.headers["cf-entrypoint"]}"' in response.text
    unknown = f"{path}?version=00000000-0000-4000-8000-000000000000"
    assert account.expect_refusal("GET", unknown).errors[0][0] == 100146


def test_a_worker_reads_the_metadata_of_its_running_version(account: Account) -> None:
    source = "export default { fetch: (request, env) => Response.json(env.VERSION) };"
    bindings = [{"type": "version_metadata", "name": "VERSION"}]
    account.put("app", source, bindings=bindings)
    url = account.enable("app")
    first = get(url).json()
    files = upload(source, bindings=bindings, annotations={"workers/tag": "blue"})
    made = account.call("POST", "/workers/scripts/app/versions", files=files)
    assert get(url).json() == first
    account.call("POST", PATH, json=split(**{made["id"]: 100}))
    version = account.call("GET", f"/workers/scripts/app/versions/{made['id']}")
    created = version["metadata"]["created_on"]
    assert get(url).json() == {"id": made["id"], "tag": "blue", "timestamp": created}
    assert first["id"] != made["id"]
