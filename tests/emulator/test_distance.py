"""The round trips of a deployed account, which can be switched on."""

from collections.abc import Iterator

import pytest

from flowflare.emulator.distance import Distance
from tests.emulator.emulated import Account, durable_object, get, new_sqlite

pytestmark = pytest.mark.workerd

LATENCY, SERVICE = 200, 100
SOURCE = """
import { DurableObject } from "cloudflare:workers";
export class Counter extends DurableObject {
  #count = 0;
  step() { this.#count += 1; return this.#count; }
  thrice() { this.step(); this.step(); return this.step(); }
  fetch() { return new Response(String(this.step())); }
}
const statement = (env) => env.DB.prepare("SELECT 1 AS one");
const four = (make) => Array.from({ length: 4 }, make);
const stub = (env) => env.COUNTER.get(env.COUNTER.idFromName("a"));
const ways = {
  nothing: async () => {},
  sequence: async (env) => { for (let n = 0; n < 4; n++) await statement(env).all(); },
  batch: async (env) => { await env.DB.batch(four(() => statement(env))); },
  together: async (env) => { await Promise.all(four(() => statement(env).all())); },
  kv: async (env) => { await env.KV.put("a", "1"); await env.KV.get("a"); },
  method: async (env) => { if (await stub(env).thrice() % 1) throw new Error("not a number"); },
  fetch: async (env) => { await (await stub(env).fetch("http://counter/")).text(); },
};
export default {
  async fetch(request, env) {
    const began = Date.now();
    await ways[new URL(request.url).pathname.slice(1)](env);
    return Response.json(Date.now() - began);
  },
};
"""


@pytest.fixture
def url(account: Account) -> Iterator[str]:
    namespace = account.call("POST", "/storage/kv/namespaces", json={"title": "t"})["id"]
    bindings = [
        {"type": "d1", "name": "DB", "id": account.database()},
        {"type": "kv_namespace", "name": "KV", "namespace_id": namespace},
        durable_object("COUNTER", "Counter"),
    ]
    account.put("far", SOURCE, bindings=bindings, migrations=new_sqlite("Counter"))
    yield account.enable("far")
    account.control("PUT", "/distance", json={"account": account.id})


def switch_on(account: Account) -> None:
    distance = {"latency": f"{LATENCY}ms", "d1_service_time": f"{SERVICE}ms"}
    account.control("PUT", "/distance", json={"account": account.id, **distance})


def test_calls_take_the_round_trips_of_a_deployed_account(account: Account, url: str) -> None:
    switch_on(account)
    least = {
        "nothing": 0,
        "sequence": 4 * (LATENCY + SERVICE),
        "batch": LATENCY + SERVICE,
        "together": LATENCY + 4 * SERVICE,
        "kv": 2 * LATENCY,
        "method": LATENCY,
        "fetch": LATENCY,
    }
    get(f"{url}/batch")
    # The quickest of three, because another process may have the processor.
    took = {way: min(get(f"{url}/{way}").json() for _ in range(3)) for way in least}
    for way, milliseconds in least.items():
        assert milliseconds - 5 <= took[way] < milliseconds + LATENCY, (way, took)


def test_without_a_distance_nothing_waits(account: Account, url: str) -> None:
    switch_on(account)
    account.control("PUT", "/distance", json={"account": account.id, "latency": "0ms"})
    get(f"{url}/sequence")
    ways = ("sequence", "kv", "method", "fetch")
    took = {way: min(get(f"{url}/{way}").json() for _ in range(3)) for way in ways}
    assert not [way for way in took if took[way] >= LATENCY], took
    calls = [call["milliseconds"] for call in account.log()]
    assert min(calls) < LATENCY


def test_calls_of_the_api_take_a_round_trip(account: Account) -> None:
    switch_on(account)
    account.call("GET", "/d1/database")
    assert account.log()[-1]["milliseconds"] >= LATENCY


@pytest.mark.parametrize("latency", ["60", "-1ms", "1h", "61s", True, -1])
def test_what_is_not_a_duration_is_refused(account: Account, latency: object) -> None:
    answer = account.ask_control("PUT", "/distance", json={"latency": latency})
    assert answer.status_code == 400


def test_durations_are_milliseconds() -> None:
    assert [Distance(latency=text).latency for text in ("60ms", "0.1s", "2s")] == [60, 100, 2000]
