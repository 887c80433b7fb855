"""Workers run in units: those that refer to each other, loaded on first use, stopped when idle."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from flowflare.emulator.process import Running
from tests.emulator.emulated import Account, durable_object, emulator, get, new_sqlite
from tests.emulator.test_workers import ECHO, SAY
from tests.emulator.test_workflows import BINDING, CLIENT, deploy, wait_until_finished
from tests.support.waiting import PATIENCE, stays_true, wait_until

pytestmark = pytest.mark.workerd

COUNTER = """
import { DurableObject } from "cloudflare:workers";
export class Counter extends DurableObject {
  async next() {
    const n = ((await this.ctx.storage.get("n")) ?? 0) + 1;
    await this.ctx.storage.put("n", n);
    return n;
  }
  async ring(after) { await this.ctx.storage.setAlarm(Date.now() + after); }
  async alarm() { await this.ctx.storage.put("rang", Date.now()); }
  async rang() { return (await this.ctx.storage.get("rang")) ?? 0; }
}
export default {
  async fetch(request, env) {
    const object = env.C.get(env.C.idFromName("one"));
    const asked = new URL(request.url).searchParams;
    if (asked.has("ring")) await object.ring(Number(asked.get("ring")));
    return Response.json(asked.size > 0 ? await object.rang() : await object.next());
  },
};
"""
OWN = durable_object("C", "Counter")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An emulator for these tests, which change how many units it keeps loaded."""
    with emulator(tmp_path_factory.mktemp("small")) as running:
        yield running


@pytest.fixture
def busy_account(small: Running) -> Iterator[Account]:
    """An account in which one unit stays loaded, and others do for a moment."""
    account = Account(small)
    account.control("PUT", "/units", json={"loaded": 1, "idle_seconds": 0.3})
    account.put("other", SAY % "other")
    yield account
    account.close()


def counter(account: Account, name: str = "counter", bindings: Any = (OWN,)) -> str:
    account.put(name, COUNTER, bindings=bindings, migrations=new_sqlite("Counter"))
    return account.enable(name)


def list_loaded(account: Account) -> list[list[str]]:
    """List the scripts of each of the account's running units."""
    units = account.control("GET", "/workers")["runtime"]["loaded"]
    return sorted(
        sorted(unit["workers"])
        for unit in units
        if unit["account"] == account.id and unit["running"] and unit["current"]
    )


def crowd_out(account: Account, name: str) -> None:
    """Use another unit until the unit of a script has stopped."""
    other = account.enable("other")
    wait_until(lambda: bool(get(other)) and [name] not in list_loaded(account))


def test_a_change_reloads_only_workers_that_refer_to_it(account: Account) -> None:
    account.put("one", ECHO)
    account.put("two", SAY % "before")
    with connect(account.enable("one").replace("http", "ws")) as socket:
        url = account.enable("two")
        assert get(url).text == "before"
        account.put("two", SAY % "after")
        account.control("POST", f"/settle?account={account.id}")
        assert get(url).text == "after"
        socket.send("still here")
        assert socket.recv(timeout=PATIENCE) == "echo still here"
    assert list_loaded(account) == [["one"], ["two"]]


def test_each_worker_of_an_account_is_loaded_on_first_use(account: Account) -> None:
    urls = [counter(account, f"tenant-{number}") for number in range(3)]
    assert list_loaded(account) == []
    assert get(urls[1]).json() == 1
    assert list_loaded(account) == [["tenant-1"]]


def test_units_merge_and_split_and_keep_their_data_and_ports(account: Account) -> None:
    urls = [counter(account, name) for name in ("one", "two")]
    assert [get(url).json() for url in urls] == [1, 1]
    service = {"type": "service", "name": "SVC", "service": "one"}
    account.put("two", COUNTER, bindings=[OWN, service])
    assert [get(url).json() for url in urls] == [2, 2]
    assert list_loaded(account) == [["one", "two"]]
    account.put("two", COUNTER, bindings=[OWN])
    assert [get(url).json() for url in urls] == [3, 3]
    assert list_loaded(account) == [["one"], ["two"]]
    assert [account.enable(name) for name in ("one", "two")] == urls


def test_objects_that_move_to_another_unit_keep_their_data(account: Account) -> None:
    first = counter(account, "one")
    assert get(first).json() == 1
    move = {"from": "Counter", "from_script": "one", "to": "Counter"}
    migrations = {"new_tag": "v1", "steps": [{"transferred_classes": [move]}]}
    account.put("two", COUNTER, bindings=[OWN], migrations=migrations)
    second = account.enable("two")
    assert get(second).json() == 2
    account.put("one", SAY % "no objects any more")
    assert get(first).text == "no objects any more"
    assert get(second).json() == 3
    assert list_loaded(account) == [["one"], ["two"]]


def test_a_database_is_shared_by_units(account: Account) -> None:
    database = account.database()
    account.query(database, "CREATE TABLE t (a)")
    source = """
    export default { async fetch(request, env) {
      await env.DB.prepare("INSERT INTO t VALUES (1)").run();
      return Response.json(await env.DB.prepare("SELECT count(*) FROM t").first("count(*)"));
    } };
    """
    urls = []
    for name in ("one", "two"):
        account.put(name, source, bindings=[{"type": "d1", "name": "DB", "id": database}])
        urls.append(account.enable(name))
    assert [get(url).json() for url in urls * 2] == [1, 2, 3, 4]
    assert list_loaded(account) == [["one"], ["two"]]
    assert account.rows(database, "SELECT count(*) AS n FROM t") == [{"n": 4}]


def test_a_binding_to_a_deleted_database_disappears_at_once(account: Account) -> None:
    source = "export default { fetch: (_, env) => new Response(typeof env.DB) };"
    urls = []
    for name in ("one", "two"):
        bound = {"type": "d1", "name": "DB", "id": account.database(name)}
        account.put(name, source, bindings=[bound])
        urls.append(account.enable(name))
    assert [get(url).text for url in urls] == ["object", "object"]
    account.call("DELETE", f"/d1/database/{bound['id']}")
    assert [get(url).text for url in urls] == ["object", "undefined"]


def test_an_idle_unit_stops_and_returns_with_its_data(busy_account: Account) -> None:
    url = counter(busy_account)
    assert get(url).json() == 1
    crowd_out(busy_account, "counter")
    assert get(url).json() == 2


def test_open_websockets_keep_their_unit(busy_account: Account) -> None:
    busy_account.put("echo", ECHO)
    with connect(busy_account.enable("echo").replace("http", "ws")) as socket:
        other = busy_account.enable("other")
        assert stays_true(
            lambda: bool(get(other)) and ["echo"] in list_loaded(busy_account), seconds=3
        )
        socket.send("here")
        assert socket.recv(timeout=PATIENCE) == "echo here"
    crowd_out(busy_account, "echo")


def test_a_running_workflow_keeps_its_unit(busy_account: Account) -> None:
    url, other = deploy(busy_account), busy_account.enable("other")

    def is_loaded() -> bool:
        assert get(other).text == "other"
        return ["client", "service"] in list_loaded(busy_account)

    for seconds in (6, 30, 150):  # under load, the Workflow may end before the unit was looked at
        slow = CLIENT.replace("1500", str(seconds * 1000))
        busy_account.put("client", slow, bindings=[{**BINDING, "class_name": "Flow"}])
        begun, instance = time.time(), get(url).json()["id"]
        kept = stays_true(is_loaded, seconds=2)
        if time.time() < begun + seconds:
            break
    assert kept
    assert wait_until_finished(url, instance)["status"] == "complete"
    wait_until(lambda: bool(get(other)) and list_loaded(busy_account) == [["other"]])


def test_an_alarm_of_a_stopped_unit_rings_in_time(busy_account: Account) -> None:
    url = counter(busy_account)
    begun = time.time()
    get(url)
    load = time.time() - begun
    for seconds in (3.5, 20.0, 100.0):  # under load, a unit may end after its alarm was due
        begun = time.time()
        assert get(url, params={"ring": seconds * 1000}).json() == 0
        crowd_out(busy_account, "counter")
        if time.time() < begun + seconds - 1:
            break
    wait_until(lambda: ["counter"] in list_loaded(busy_account))
    rang = wait_until(lambda: get(url, params={"rang": ""}).json()) / 1000 - begun
    assert seconds - 0.1 < rang < seconds + 1.4 + 2 * load


@pytest.mark.long
def test_settling_an_account_tries_every_unit_and_keeps_few(busy_account: Account) -> None:
    for number in range(4):
        counter(busy_account, f"tenant-{number}")
    assert busy_account.control("POST", f"/settle?account={busy_account.id}") == {"problems": []}
    wait_until(lambda: len(list_loaded(busy_account)) == 1)


def test_each_workerd_is_restarted_when_it_dies(busy_account: Account) -> None:
    busy_account.control("PUT", "/units", json={})
    url = counter(busy_account)
    database = busy_account.database()
    assert get(url).json() == 1
    crashes = f"{busy_account.root}/emulator/health"
    before = get(crashes).json()["crashes"]
    killed = workerds(busy_account.running.data)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: get(crashes).json()["crashes"] == before + len(killed))
    assert get(url).json() == 2
    assert busy_account.rows(database, "SELECT 1 AS one") == [{"one": 1}]


def workerds(data: Path) -> list[int]:
    """List the workerd processes whose parent's command line names the data folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            name, _, rest = (entry / "stat").read_text().partition("(")[2].rpartition(")")
            parent = Path("/proc") / rest.split()[1] / "cmdline"
            if "workerd" in name and os.fsencode(data) in parent.read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found
