"""R2 objects: the API, wrangler, the SDK and Workers see the same data."""

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
    const seen = await env.BUCKET.get("from/api é");
    const options = { httpMetadata: { contentType: "text/x" }, customMetadata: { b: "2" } };
    await env.BUCKET.put("from worker", "two", options);
    return Response.json([await seen.text(), seen.httpMetadata.contentType]);
  },
};
"""
BUCKET = "/r2/buckets/files"
RULE = {
    "id": "old",
    "enabled": True,
    "conditions": {"prefix": "logs/"},
    "deleteObjectsTransition": {"condition": {"type": "Age", "maxAge": 86400}},
}
CORS = {"allowed": {"methods": ["GET"], "origins": ["https://example.com"]}}


@pytest.fixture
def objects(account: Account) -> str:
    account.call("POST", "/r2/buckets", json={"name": "files"})
    return f"{BUCKET}/objects"


def test_a_worker_and_the_api_share_objects(account: Account, objects: str) -> None:
    binding = {"type": "r2_bucket", "name": "BUCKET", "bucket_name": "files"}
    account.put("w", WORKER, bindings=[binding])
    headers = {"content-type": "text/y", "cache-control": "no-store", "content-language": "de"}
    path = f"{objects}/from/api%20é"
    put = account.call("PUT", path, content=b"one", headers=headers)
    assert (put["key"], put["size"], put["storage_class"]) == ("from/api é", "3", "Standard")
    assert get(account.enable("w")).json() == ["one", "text/y"]
    response = account.http.get(f"{objects}/from%20worker")
    assert (response.content, response.headers["content-type"]) == (b"two", "text/x")
    response = account.http.get(path)
    assert response.content == b"one"
    assert headers.items() <= dict(response.headers).items()
    known = {"if-none-match": response.headers["etag"]}
    assert account.http.get(path, headers=known).status_code == 304
    since = {"if-modified-since": response.headers["last-modified"]}
    assert account.http.get(path, headers=since).status_code == 304
    listed = {each["key"]: each for each in account.call("GET", objects)}
    assert listed["from worker"]["custom_metadata"] == {"b": "2"}
    assert listed["from worker"]["http_metadata"] == {"contentType": "text/x"}


def test_a_bucket_with_objects_is_not_deleted(account: Account, objects: str) -> None:
    account.call("PUT", f"{objects}/a", content=bytes(range(256)))
    assert account.http.get(f"{objects}/a").content == bytes(range(256))
    refused = account.expect_refusal("DELETE", BUCKET)
    assert (refused.status, refused.errors[0][0]) == (409, 10008)
    assert account.call("DELETE", f"{objects}/a") == {"key": "a"}
    missing = account.expect_refusal("GET", f"{objects}/a")
    assert (missing.status, missing.errors[0][0]) == (404, 10007)
    assert account.call("DELETE", BUCKET) == {}
    assert account.expect_refusal("PUT", f"{objects}/a").errors[0][0] == 10006


def test_objects_are_listed_in_pages_and_by_delimiter(account: Account, objects: str) -> None:
    for key in ("a/1", "a/2", "b/1", "c", "d"):
        account.call("PUT", f"{objects}/{key}", content=b"")
    query = {"delimiter": "/"}
    body = account.http.get(objects, params=query).json()
    assert [each["key"] for each in body["result"]] == ["c", "d"]
    assert body["result_info"]["delimited"] == ["a/", "b/"]
    seen, cursor, pages = [], "", 0
    while pages == 0 or cursor:
        body = account.http.get(objects, params={"per_page": 2, "cursor": cursor}).json()
        seen += [each["key"] for each in body["result"]]
        cursor, pages = body["result_info"]["cursor"], pages + 1
    assert (seen, pages) == (["a/1", "a/2", "b/1", "c", "d"], 3)
    after = account.call("GET", objects, params={"start_after": "b/1"})
    assert [each["key"] for each in after] == ["c", "d"]
    prefixed = account.call("GET", objects, params={"prefix": "a/"})
    assert [each["key"] for each in prefixed] == ["a/1", "a/2"]


def test_a_bucket_belongs_to_its_jurisdiction(account: Account) -> None:
    european = {"cf-r2-jurisdiction": "eu"}
    made = account.call("POST", "/r2/buckets", json={"name": "files"}, headers=european)
    assert made["jurisdiction"] == "eu"
    assert account.expect_refusal("GET", BUCKET).errors[0][0] == 10006
    assert account.call("GET", "/r2/buckets")["buckets"] == []
    assert len(account.call("GET", "/r2/buckets", headers=european)["buckets"]) == 1
    account.call("PUT", f"{BUCKET}/objects/a", content=b"1", headers=european)
    assert account.expect_refusal("GET", f"{BUCKET}/objects/a").errors[0][0] == 10006
    account.call("DELETE", f"{BUCKET}/objects/a", headers=european)
    account.call("DELETE", BUCKET, headers=european)


def test_unknown_values_are_refused(account: Account, objects: str) -> None:
    invalid = {"name": "other", "locationHint": "mars"}
    assert account.expect_refusal("POST", "/r2/buckets", json=invalid).errors[0][0] == 10040
    headers = {"cf-r2-jurisdiction": "moon"}
    assert account.expect_refusal("GET", BUCKET, headers=headers).errors[0][0] == 10040
    headers = {"cf-r2-storage-class": "InfrequentAccess"}
    refused = account.expect_refusal("PUT", f"{objects}/a", headers=headers)
    assert "cf-r2-storage-class" in refused.errors[0][1]
    long = account.expect_refusal("PUT", f"{objects}/{'k' * 1025}", content=b"")
    assert (long.status, long.errors[0][0]) == (400, 10020)


def test_the_provider_converges(account: Account, objects: str) -> None:
    """A lifecycle is never deleted: the provider only forgets it."""
    assert account.call("GET", f"{BUCKET}/lifecycle")["rules"][0]["enabled"] is True
    bodies = {"lifecycle": {"rules": [RULE]}, "cors": {"rules": [CORS]}}
    for name, body in bodies.items():
        kind = Kind(f"PUT {BUCKET}/{name}", f"GET {BUCKET}/{name}", f"PUT {BUCKET}/{name}")
        replay(account, kind, body, then={"rules": []} if name == "lifecycle" else body)
    account.call("DELETE", f"{BUCKET}/cors")
    missing = account.expect_refusal("GET", f"{BUCKET}/cors")
    assert (missing.status, missing.errors[0][0]) == (404, 10059)
    bad = {"lifecycle": {"rules": [{"id": "x"}]}, "cors": {"rules": [{"allowed": {}}]}}
    for name, body in bad.items():
        refused = account.expect_refusal("PUT", f"{BUCKET}/{name}", json=body)
        assert (refused.status, refused.errors[0][0]) == (400, 10040)
    assert objects


def test_the_sdk_reads_and_writes_strictly(account: Account, objects: str) -> None:
    client = Cloudflare(
        api_token=account.running.token,
        base_url=account.running.base_url,
        _strict_response_validation=True,
    )
    buckets = client.r2.buckets
    place: dict[str, Any] = {"account_id": account.id, "bucket_name": "files"}
    put = buckets.objects.upload("a/b", body=b"1", **place)
    assert put.uploaded
    assert buckets.objects.get("a/b", **place).read() == b"1"
    assert [each.size for each in buckets.objects.list(per_page=1, **place)] == [1]
    assert buckets.lifecycle.get(**place).rules
    rules: Any = [CORS]
    buckets.cors.update(rules=rules, **place)
    assert buckets.cors.get(**place).rules
    assert buckets.objects.delete("a/b", **place).key == "a/b"
    buckets.delete(**place)
    assert objects


@pytest.mark.long
def test_wrangler_uses_objects_and_rules(account: Account, objects: str, tmp_path: Path) -> None:
    def run(*words: str) -> str:
        return run_wrangler(tmp_path, account, "r2", *words)

    (tmp_path / "a.txt").write_text("content")
    remote = ("--remote", "-y")
    run("object", "put", "files/a/b.txt", "--file=a.txt", "--content-type=text/z", *remote)
    run("object", "get", "files/a/b.txt", "--file=b.txt", "--remote")
    assert (tmp_path / "b.txt").read_text() == "content"
    assert account.http.get(f"{objects}/a/b.txt").headers["content-type"] == "text/z"
    shown = run("bucket", "info", "files")
    assert "object_count:           1" in shown, shown
    run("object", "delete", "files/a/b.txt", *remote)
    (tmp_path / "cors.json").write_text(json.dumps({"rules": [CORS]}))
    run("bucket", "cors", "set", "files", "--file=cors.json", "-y")
    assert "https://example.com" in run("bucket", "cors", "list", "files")
    run("bucket", "cors", "delete", "files", "-y")
    run("bucket", "lifecycle", "add", "files", "new", "logs/", "--expire-days=3", "-y")
    assert "Expire objects after 3 days" in run("bucket", "lifecycle", "list", "files")
    run("bucket", "lifecycle", "remove", "files", "--name=new")
    run("bucket", "delete", "files")
    assert not [each for each in account.log() if not each["known"]]
