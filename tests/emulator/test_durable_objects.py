"""Durable Object namespaces and the objects in them."""

import pytest

from flowflare.emulator.process import Running
from tests.emulator.emulated import Account, durable_object, get, new_sqlite

pytestmark = pytest.mark.workerd

COUNTER = """
import { DurableObject } from "cloudflare:workers";
export class Counter extends DurableObject {
  async add() {
    this.ctx.storage.sql.exec('CREATE TABLE IF NOT EXISTS t (a)');
    this.ctx.storage.sql.exec('INSERT INTO t VALUES (1)');
    return this.ctx.id.toString();
  }
}
export default {
  async fetch(request, env) {
    const name = new URL(request.url).pathname;
    return new Response(await env.COUNTER.get(env.COUNTER.idFromName(name)).add());
  },
};
"""


def test_objects_are_listed_when_they_have_stored_data(account: Account, cloud: Running) -> None:
    account.put(
        "app",
        COUNTER,
        bindings=[durable_object("COUNTER", "Counter")],
        migrations=new_sqlite("Counter"),
    )
    (namespace,) = account.call("GET", "/workers/durable_objects/namespaces")
    path = f"/workers/durable_objects/namespaces/{namespace['id']}/objects"
    assert account.call("GET", path) == []
    url = account.enable("app")
    ids = sorted(get(f"{url}/{name}").text for name in ("a", "b", "c"))
    body = account.http.get(path, params={"limit": 2}).json()
    assert [each["id"] for each in body["result"]] == ids[:2]
    rest = account.call("GET", path, params={"cursor": body["result_info"]["cursor"]})
    assert rest == [{"id": ids[2], "hasStoredData": True}]

    from cloudflare import Cloudflare

    with Cloudflare(base_url=cloud.base_url, api_token=cloud.token, max_retries=0) as sdk:
        spaces = sdk.durable_objects.namespaces
        assert [each.class_ for each in spaces.list(account_id=account.id)] == ["Counter"]
        pages = spaces.objects.list(namespace["id"], account_id=account.id, limit=1)
        assert [each.id for each in pages] == ids


def test_an_unknown_namespace_has_no_objects(account: Account) -> None:
    refused = account.expect_refusal("GET", "/workers/durable_objects/namespaces/nothing/objects")
    assert (refused.status, refused.errors[0][0]) == (404, 10066)
