"""Secrets stores: their secrets reach Workers, and no answer shows a value."""

import re
from pathlib import Path
from typing import Any

import pytest
from cloudflare import Cloudflare

from tests.emulator.emulated import Account, get
from tests.emulator.test_wrangler import run_wrangler
from tests.support.waiting import wait_until

pytestmark = pytest.mark.workerd

WORKER = """
export default {
  async fetch(request, env) {
    return new Response(await env.KEY.get().catch((error) => error.message));
  },
};
"""
VALUE = "the value"


def make_secret(account: Account) -> tuple[str, str]:
    """Return the path of a new store, and the ID of its secret `api-key`."""
    store = account.call("POST", "/secrets_store/stores", json={"name": "main"})["id"]
    secret = {"name": "api-key", "value": VALUE, "scopes": ["workers"]}
    path = f"/secrets_store/stores/{store}"
    (created,) = account.call("POST", f"{path}/secrets", json=[secret])
    return path, created["id"]


def bind(path: str, name: str = "api-key") -> dict[str, str]:
    store = path.rpartition("/")[2]
    return {"type": "secrets_store_secret", "name": "KEY", "store_id": store, "secret_name": name}


def test_a_worker_reads_a_secret_and_its_next_value(account: Account) -> None:
    path, secret = make_secret(account)
    account.put("w", WORKER, bindings=[bind(path)])
    url = account.enable("w")
    assert get(url).text == VALUE
    account.call("PATCH", f"{path}/secrets/{secret}", json={"value": "next"})
    assert wait_until(lambda: get(url).text == "next")
    account.call(
        "POST", f"{path}/secrets/{secret}/duplicate", json={"name": "b", "scopes": ["dex"]}
    )
    account.call("DELETE", f"{path}/secrets/{secret}")
    assert wait_until(lambda: "not found" in get(url).text)
    assert VALUE not in str(account.call("GET", f"{path}/secrets"))


def test_what_does_not_exist_is_refused(account: Account) -> None:
    path, secret = make_secret(account)
    refused = account.put_expecting_refusal("w", WORKER, bindings=[bind(path, "none")])
    assert (refused.status, refused.errors[0][0]) == (400, 10182)
    account.call("PATCH", f"{path}/secrets/{secret}", json={"scopes": ["dex"]})
    refused = account.put_expecting_refusal("w", WORKER, bindings=[bind(path)])
    assert (refused.status, refused.errors[0][0]) == (400, 10021)
    account.call("PATCH", f"{path}/secrets/{secret}", json={"scopes": ["dex", "workers"]})
    account.put("w", WORKER, bindings=[bind(path)])
    again = {"name": "api-key", "value": "v", "scopes": ["workers"]}
    assert account.expect_refusal("POST", f"{path}/secrets", json=[again]).status == 409
    for bad in ({"scopes": ["none"]}, {"value": "x" * 65_537}, {"comment": 1}):
        assert account.expect_refusal("PATCH", f"{path}/secrets/{secret}", json=bad).status == 400
    assert account.expect_refusal("DELETE", path).status == 409
    account.call("DELETE", f"{path}?force=true")
    for missing in (path, f"{path}/secrets", f"{path}/secrets/{secret}"):
        assert account.expect_refusal("GET", missing).status == 404


def test_the_sdk_reads_and_writes_strictly(account: Account) -> None:
    client = Cloudflare(
        api_token=account.running.token,
        base_url=account.running.base_url,
        _strict_response_validation=True,
    )
    stores = client.secrets_store.stores
    store = stores.create(account_id=account.id, name="main")
    assert store is not None
    place: dict[str, Any] = {"account_id": account.id, "store_id": store.id}
    secret: Any = {"name": "a", "value": VALUE, "scopes": ["workers"], "comment": "c"}
    (created,) = stores.secrets.create(body=[secret], **place)
    assert [each.name for each in stores.secrets.list(search="c", **place)] == ["a"]
    edited = stores.secrets.edit(created.id, comment="d", **place)
    assert edited is not None
    assert edited.comment == "d"
    stores.secrets.duplicate(created.id, name="b", scopes=["workers"], **place)
    assert stores.secrets.get(created.id, **place)
    stores.secrets.delete(created.id, **place)
    assert [each.name for each in stores.list(account_id=account.id)] == ["main"]


@pytest.mark.long
def test_wrangler_controls_a_store(account: Account, tmp_path: Path) -> None:
    def run(*words: str) -> str:
        return run_wrangler(tmp_path, account, "secrets-store", *words, "--remote")

    def find_id(output: str) -> str:
        found = re.search(r"ID: (\w+)", output)
        assert found, output
        return found[1]

    store = find_id(run("store", "create", "main"))
    assert store in run("store", "list")
    given = ("--name=a", "--value=1", "--scopes=workers")
    secret = find_id(run("secret", "create", store, *given))
    chosen = f"--secret-id={secret}"
    assert "workers" in run("secret", "get", store, chosen)
    run("secret", "update", store, chosen, "--value=2", "--scopes=workers")
    run("secret", "duplicate", store, chosen, "--name=b", "--scopes=workers")
    run("secret", "list", store)
    listed = account.call("GET", f"/secrets_store/stores/{store}/secrets")
    assert [each["name"] for each in listed] == ["a", "b"]
    run("secret", "delete", store, chosen)
    assert not [each for each in account.log() if not each["known"]]
