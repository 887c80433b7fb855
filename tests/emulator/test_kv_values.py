"""KV values: the API, wrangler, the SDK and Workers see the same data."""

import json
from pathlib import Path
from typing import Any

import pytest
from cloudflare import Cloudflare

from tests.emulator.emulated import Account, get
from tests.emulator.test_wrangler import run_wrangler
from tests.support.provider_replay import Kind, replay

pytestmark = pytest.mark.workerd

WORKER = """
export default {
  async fetch(request, env) {
    const seen = await env.KV.getWithMetadata("from/api");
    await env.KV.put("from worker", "é", { metadata: { b: 2 } });
    return Response.json([seen.value, seen.metadata]);
  },
};
"""


@pytest.fixture
def values(account: Account) -> str:
    made = account.call("POST", "/storage/kv/namespaces", json={"title": "orders"})
    return f"/storage/kv/namespaces/{made['id']}"


def read(account: Account, values: str, key: str) -> bytes:
    response = account.http.get(f"{values}/values/{key}")
    assert response.status_code == 200, response.text
    return response.content


def test_a_worker_and_the_api_share_values(account: Account, values: str) -> None:
    binding = {"type": "kv_namespace", "name": "KV", "namespace_id": values.rpartition("/")[2]}
    account.put("w", WORKER, bindings=[binding])
    form = {"value": (None, "one"), "metadata": (None, json.dumps({"a": "ü"}))}
    account.call("PUT", f"{values}/values/from%2Fapi", files=form)
    assert get(account.enable("w")).json() == ["one", {"a": "ü"}]
    assert read(account, values, "from%20worker") == "é".encode()
    assert account.call("GET", f"{values}/metadata/from%20worker") == {"b": 2}
    assert account.call("GET", f"{values}/keys") == [
        {"name": "from worker", "metadata": {"b": 2}},
        {"name": "from/api", "metadata": {"a": "ü"}},
    ]


def test_values_expire_and_are_deleted(account: Account, values: str) -> None:
    content = bytes(range(256))
    account.call("PUT", f"{values}/values/a?expiration_ttl=60", content=content)
    response = account.http.get(f"{values}/values/a")
    assert response.content == content
    assert int(response.headers["expiration"]) > 0
    assert account.call("GET", f"{values}/keys")[0]["expiration"] > 0
    account.call("DELETE", f"{values}/values/a")
    account.call("DELETE", f"{values}/values/a")
    refused = account.expect_refusal("GET", f"{values}/values/a")
    assert (refused.status, refused.errors) == (404, ((10009, "get: 'key not found'"),))
    assert account.expect_refusal("GET", f"{values}/metadata/a") == refused


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("a?expiration_ttl=59", b"", 400),
        ("a?expiration=1", b"", 400),
        ("a?expiration_ttl=soon", b"", 400),
        ("k" * 513, b"", 414),
        ("a", bytes(25 * 1024 * 1024 + 1), 413),
    ],
    ids=["ttl", "past", "no number", "key", "value"],
)
def test_a_limit_refuses_a_value(
    account: Account, values: str, path: str, body: bytes, status: int
) -> None:
    assert account.expect_refusal("PUT", f"{values}/values/{path}", content=body).status == status
    assert account.call("GET", f"{values}/keys") == []


def test_metadata_has_a_limit_and_is_json(account: Account, values: str) -> None:
    for metadata, status in (("{", 400), (json.dumps("m" * 1100), 413)):
        form = {"value": (None, "v"), "metadata": (None, metadata)}
        refused = account.expect_refusal("PUT", f"{values}/values/a", files=form)
        assert refused.status == status


def test_keys_are_listed_in_pages(account: Account, values: str) -> None:
    items = [{"key": f"k{number:02}", "value": "v"} for number in range(25)]
    items.append({"key": "other", "value": "AAE=", "base64": True})
    written = account.call("PUT", f"{values}/bulk", json=items)
    assert written == {"successful_key_count": 26, "unsuccessful_keys": []}
    assert read(account, values, "other") == b"\x00\x01"
    seen: list[str] = []
    cursor, pages = "", 0
    while pages == 0 or cursor:
        query = {"prefix": "k", "limit": 10, "cursor": cursor}
        page = account.http.get(f"{values}/keys", params=query).json()
        seen += [key["name"] for key in page["result"]]
        cursor, pages = page["result_info"]["cursor"], pages + 1
    assert (seen, pages) == ([f"k{number:02}" for number in range(25)], 3)
    for limit in (9, 1001):
        assert account.expect_refusal("GET", f"{values}/keys?limit={limit}").status == 400


def test_an_unknown_namespace_is_named(account: Account) -> None:
    path = f"/storage/kv/namespaces/{'0' * 32}"
    for method, rest in (("GET", "/values/a"), ("PUT", "/values/a"), ("GET", "/keys")):
        refused = account.expect_refusal(method, path + rest)
        assert (refused.status, refused.errors[0][0]) == (404, 10013)


def test_the_sdk_reads_and_writes_strictly(account: Account, values: str) -> None:
    client = Cloudflare(
        api_token=account.running.token,
        base_url=account.running.base_url,
        _strict_response_validation=True,
    )
    kv = client.kv.namespaces
    place: dict[str, Any] = {
        "account_id": account.id,
        "namespace_id": values.rpartition("/")[2],
    }
    kv.values.update("a/b", value=b"1", metadata='{"m": 1}', **place)
    assert kv.values.get("a/b", **place).read() == b"1"
    assert kv.metadata.get("a/b", **place) == {"m": 1}
    kv.bulk_update(body=[{"key": "c", "value": '{"d": 1}'}], **place)
    assert [key.name for key in kv.keys.list(**place)] == ["a/b", "c"]
    found = kv.bulk_get(keys=["c"], type="json", **place)
    assert found is not None
    assert found.values == {"c": {"d": 1}}
    described = kv.bulk_get(keys=["a/b", "none"], with_metadata=True, **place)
    assert described is not None
    assert described.to_dict()["values"]["none"] is None
    deleted = kv.bulk_delete(body=["c"], **place)
    assert deleted is not None
    assert deleted.successful_key_count == 1
    kv.values.delete("a/b", **place)
    place["namespace_id"] = kv.update(title="renamed", **place).id
    assert kv.get(**place).title == "renamed"
    kv.delete(**place)


@pytest.mark.long
def test_wrangler_uses_values(account: Account, values: str, tmp_path: Path) -> None:
    chosen = (f"--namespace-id={values.rpartition('/')[2]}", "--remote")

    def run(*words: str) -> str:
        return run_wrangler(tmp_path, account, "kv", *words, *chosen)

    run("key", "put", "a b", "one", "--metadata", '{"m": 1}', "--ttl", "60")
    assert run("key", "get", "a b", "--text").strip().endswith("one")
    assert '"a b"' in run("key", "list")
    (tmp_path / "put.json").write_text(json.dumps([{"key": "c", "value": "three"}]))
    run("bulk", "put", "put.json")
    (tmp_path / "keys.json").write_text('["c"]')
    assert "three" in run("bulk", "get", "keys.json")
    run("bulk", "delete", "keys.json", "--force")
    run("key", "delete", "a b")
    assert run("key", "list").strip().endswith("[]")
    run_wrangler(tmp_path, account, "kv", "namespace", "rename", "orders", "--new-name", "new")
    words = ("kv", "namespace", "delete", chosen[0], "-y")
    run_wrangler(tmp_path, account, *words)
    assert not [each for each in account.log() if not each["known"]]


def test_the_provider_converges(account: Account, values: str) -> None:
    namespace = Kind(
        create="POST /storage/kv/namespaces",
        read="GET /storage/kv/namespaces/{id}",
        update="PUT /storage/kv/namespaces/{id}",
        delete="DELETE /storage/kv/namespaces/{id}",
    )
    replay(account, namespace, {"title": "one"}, then={"title": "two"})
