"""Targets of bindings: KV, R2, queues and similar are created, bound, used and deleted."""

from pathlib import Path
from typing import Any

import pytest

from flowflare import emulator
from flowflare.emulator.process import Running
from flowflare.emulator.services.targets.kinds import KINDS
from flowflare.emulator.services.targets.target import TargetKind
from tests.emulator.emulated import Account, Refused, get
from tests.support.own_stores import make_api_bodies

pytestmark = pytest.mark.workerd

EMULATOR = Path(emulator.__file__).parent
#: What names a handler of Workers or a source of events too.
OTHER_NAMES = {'"queue"', '"vectorize"'}
USER = """
export default {
  async fetch(request, env) {
    await env.KV.put('a', 'from kv');
    await env.BUCKET.put('b', 'from r2');
    await env.QUEUE.send({ c: 1 });
    env.EVENTS.writeDataPoint({ blobs: ['d'] });
    const first = await env.LIMIT.limit({ key: 'e' });
    const second = await env.LIMIT.limit({ key: 'e' });
    return Response.json({
      kv: await env.KV.get('a'),
      r2: await (await env.BUCKET.get('b')).text(),
      limited: [first.success, second.success],
      version: typeof env.VERSION.id,
      json: env.JSON,
    });
  },
};
"""
ORIGIN = {
    "scheme": "postgres",
    "host": "db.example.com",
    "port": 5432,
    "database": "shop",
    "user": "shop",
    "password": "s3cret",
}
#: A body that creates a target, by the path of its kind.
BODIES = {
    **make_api_bodies("orders"),
    "/vectorize/v2/indexes": {"name": "orders", "config": {"dimensions": 3, "metric": "cosine"}},
}


def test_every_kind_of_target_is_created_here() -> None:
    assert BODIES.keys() == {kind.path for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_of_target_is_described_in_one_file(kind: TargetKind) -> None:
    """Its binding type and its path are in its own file alone."""
    words = {f'"{kind.path}"', f'"{kind.binding}"'} - OTHER_NAMES
    sources = {path.name: path.read_text() for path in EMULATOR.rglob("*.py")}
    naming = {name for name, source in sources.items() if any(word in source for word in words)}
    assert naming == {f"{kind.name}.py"}


def test_a_worker_uses_all_its_bindings(account: Account) -> None:
    namespace = account.call("POST", "/storage/kv/namespaces", json={"title": "t"})["id"]
    account.call("POST", "/r2/buckets", json={"name": "files"})
    account.call("POST", "/queues", json={"queue_name": "jobs"})
    bindings: list[dict[str, Any]] = [
        {"type": "kv_namespace", "name": "KV", "namespace_id": namespace},
        {"type": "r2_bucket", "name": "BUCKET", "bucket_name": "files"},
        {"type": "queue", "name": "QUEUE", "queue_name": "jobs"},
        {"type": "analytics_engine", "name": "EVENTS", "dataset": "events"},
        {
            "type": "ratelimit",
            "name": "LIMIT",
            "namespace_id": "1",
            "simple": {"limit": 1, "period": 60},
        },
        {"type": "version_metadata", "name": "VERSION"},
        {"type": "json", "name": "JSON", "json": {"fooBar": [1]}},
        {"type": "new_thing", "name": "NEW", "some_field": {"x": 1}},
    ]
    account.put("app", USER, bindings=bindings)
    assert get(account.enable("app")).json() == {
        "kv": "from kv",
        "r2": "from r2",
        "limited": [True, False],
        "version": "string",
        "json": {"fooBar": [1]},
    }
    shown = account.call("GET", "/workers/scripts/app/settings")["bindings"]
    assert shown == sorted(bindings, key=lambda each: str(each["name"]))


def test_data_lives_as_long_as_its_namespace(account: Account, cloud: Running) -> None:
    source = """
    export default { async fetch(request, env) {
      const before = await env.KV.get('a');
      await env.KV.put('a', 'canary-of-the-namespace');
      return new Response(before);
    } };
    """

    def read_bound() -> tuple[str, str]:
        made: str = account.call("POST", "/storage/kv/namespaces", json={"title": "t"})["id"]
        binding = {"type": "kv_namespace", "name": "KV", "namespace_id": made}
        account.put("app", source, bindings=[binding])
        return made, get(account.enable("app")).text

    first, before = read_bound()
    assert before == ""
    assert get(account.enable("app")).text == "canary-of-the-namespace"
    folder = cloud.data / "runtime" / "kv"
    assert any(each.name == first for each in folder.iterdir())
    account.call("DELETE", f"/storage/kv/namespaces/{first}")
    assert not any(each.name == first for each in folder.iterdir())
    assert read_bound()[1] == ""


@pytest.mark.parametrize("path", BODIES)
def test_a_target_of_each_kind_is_created_listed_and_deleted(account: Account, path: str) -> None:
    made = account.call("POST", path, json=BODIES[path])
    identity = made.get("id") or made.get("queue_id") or made["name"]
    assert account.call("GET", f"{path}/{identity}") == made
    listed = account.call("GET", path)
    assert (listed["buckets"] if path == "/r2/buckets" else listed) == [made]
    assert "s3cret" not in str(listed)
    assert account.expect_refusal("POST", path, json=BODIES[path]).status >= 400
    assert account.expect_refusal("POST", path, json={}).errors[0][0] == 10001
    account.call("DELETE", f"{path}/{identity}")
    assert account.expect_refusal("GET", f"{path}/{identity}").status == 404
    assert account.expect_refusal("DELETE", f"{path}/{identity}").status == 404


@pytest.mark.parametrize(
    ("binding", "code", "text"),
    [
        ({"type": "kv_namespace", "namespace_id": "f" * 32}, 10041, "KV namespace 'fff"),
        ({"type": "r2_bucket", "bucket_name": "none"}, 10085, "R2 bucket 'none' not found."),
        ({"type": "queue", "queue_name": "none"}, 11000, "Queue 'none' not found"),
        ({"type": "hyperdrive", "id": "none"}, 10157, "Hyperdrive binding 'B' references"),
        ({"type": "vectorize", "index_name": "none"}, 10159, "Vectorize binding 'B' references"),
        ({"type": "kv_namespace"}, 10021, "must have a valid `namespace_id` specified"),
        ({"type": "analytics_engine"}, 10021, "must have a valid `dataset` specified"),
        ({"type": "json"}, 10021, "must have a valid `json` specified"),
        ({"type": "ratelimit", "namespace_id": "1"}, 10021, "must have a valid `simple`"),
        ({"type": "secret_key", "format": "raw"}, 10021, "`key_base64` or `key_jwk`"),
        ({}, 10021, "must have a valid `type` specified"),
    ],
)
def test_a_binding_without_a_target_is_refused(
    account: Account, binding: dict[str, Any], code: int, text: str
) -> None:
    refused = account.put_expecting_refusal("app", bindings=[{"name": "B", **binding}])
    assert refused.status == 400
    assert refused.errors[0][0] == code
    assert text in refused.errors[0][1]


def test_a_queue_in_use_is_not_deleted(account: Account) -> None:
    queue = account.call("POST", "/queues", json={"queue_name": "jobs"})["queue_id"]
    account.put("app", bindings=[{"type": "queue", "name": "Q", "queue_name": "jobs"}])
    assert account.call("GET", f"/queues/{queue}")["producers"] == [
        {"type": "worker", "script": "app"}
    ]
    refused: Refused = account.expect_refusal("DELETE", f"/queues/{queue}")
    assert refused.errors[0][0] == 11005
    account.put("app")
    account.call("DELETE", f"/queues/{queue}")


def test_hyperdrive_is_replaced_whole_and_edited_in_part(account: Account) -> None:
    path = "/hyperdrive/configs"
    made = account.call(
        "POST", path, json={"name": "orders", "origin": ORIGIN, "caching": {"disabled": True}}
    )
    one = f"{path}/{made['id']}"
    shown = {key: value for key, value in ORIGIN.items() if key != "password"}
    assert (made["origin"], made["caching"]) == (shown, {"disabled": True})

    # A PATCH keeps what it does not have, but a new location replaces the whole location.
    access = {"host": "a.example.com", "access_client_id": "i", "access_client_secret": "s3cret"}
    edited = account.call("PATCH", one, json={"origin": {"user": "me", **access}})
    assert edited["origin"] == {
        **{key: shown[key] for key in ("scheme", "database")},
        "user": "me",
        "host": "a.example.com",
        "access_client_id": "i",
    }
    assert (edited["name"], edited["caching"]) == ("orders", {"disabled": True})
    assert account.call("PATCH", one, json={"name": "shop"})["name"] == "shop"

    # A PUT without the password, or without a name, is refused; otherwise it replaces everything.
    for body in ({"name": "shop", "origin": shown}, {"origin": ORIGIN}):
        assert account.expect_refusal("PUT", one, json=body).errors[0][0] == 10001
    replaced = account.call(
        "PUT", one, json={"name": "shop", "origin": ORIGIN, "origin_connection_limit": 20}
    )
    assert (replaced["origin"], replaced["caching"]) == (shown, {"disabled": False})
    assert replaced["origin_connection_limit"] == 20

    account.call("POST", path, json={"name": "orders", "origin": ORIGIN})
    taken = account.expect_refusal("PUT", one, json={"name": "orders", "origin": ORIGIN})
    assert (taken.status, taken.errors[0][0]) == (409, 2017)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"password": ""}, "no password"),
        ({"scheme": "sqlite"}, "postgres, postgresql, mysql"),
        ({"service_id": "a"}, "host and port"),
        ({"access_client_id": "a"}, "host and port"),
    ],
)
def test_an_origin_without_one_location_or_a_password_is_refused(
    account: Account, change: dict[str, str], text: str
) -> None:
    body = {"name": "orders", "origin": {**ORIGIN, **change}}
    refused = account.expect_refusal("POST", "/hyperdrive/configs", json=body)
    assert refused.errors[0][0] == 10001
    assert text in refused.errors[0][1]


def test_the_official_sdk_creates_them(account: Account, cloud: Running) -> None:
    from cloudflare import Cloudflare

    with Cloudflare(base_url=cloud.base_url, api_token=cloud.token, max_retries=0) as sdk:
        namespace = sdk.kv.namespaces.create(account_id=account.id, title="t")
        assert [each.id for each in sdk.kv.namespaces.list(account_id=account.id)] == [namespace.id]
        bucket = sdk.r2.buckets.create(account_id=account.id, name="files")
        assert bucket.name == "files"
        queue = sdk.queues.create(account_id=account.id, queue_name="jobs")
        assert queue
        assert queue.queue_id
        assert [each.queue_name for each in sdk.queues.list(account_id=account.id)] == ["jobs"]
