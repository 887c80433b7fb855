"""Workers run in units: those that refer to each other, loaded on first use, ended when idle."""

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
from tests.emulator.test_workflows import BINDING, CLIENT, deploy, finished
from tests.support.waiting import PATIENCE, holds, wait_until

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
    """An emulator of these tests' own: they change how many units it keeps."""
    with emulator(tmp_path_factory.mktemp("small")) as running:
        yield running


@pytest.fixture
def crowded(small: Running) -> Iterator[Account]:
    """An account where one unit stays loaded, and others do for a moment."""
    account = Account(small)
    account.control("PUT", "/units", json={"loaded": 1, "idle_seconds": 0.3})
    account.put("other", SAY % "other")
    yield account
    account.close()


def counter(account: Account, name: str = "counter", bindings: Any = (OWN,)) -> str:
    account.put(name, COUNTER, bindings=bindings, migrations=new_sqlite("Counter"))
    return account.enable(name)


def loaded(account: Account) -> list[list[str]]:
    """The scripts of each unit of the account that runs."""
    told = account.control("GET", "/workers")["runtime"]["loaded"]
    return sorted(
        sorted(each["workers"])
        for each in told
        if each["account"] == account.id and each["running"] and each["current"]
    )


def crowd_out(account: Account, name: str) -> None:
    """Uses another unit until the one of a script has ended."""
    other = account.enable("other")
    wait_until(lambda: bool(get(other)) and [name] not in loaded(account))


def test_a_change_reloads_what_refers_to_it_and_nothing_else(account: Account) -> None:
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
    assert loaded(account) == [["one"], ["two"]]


def test_workers_in_one_account_are_loaded_one_by_one_on_first_use(account: Account) -> None:
    urls = [counter(account, f"tenant-{number}") for number in range(3)]
    assert loaded(account) == []
    assert get(urls[1]).json() == 1
    assert loaded(account) == [["tenant-1"]]


def test_units_merge_and_split_and_keep_their_data_and_ports(account: Account) -> None:
    urls = [counter(account, name) for name in ("one", "two")]
    assert [get(url).json() for url in urls] == [1, 1]
    service = {"type": "service", "name": "SVC", "service": "one"}
    account.put("two", COUNTER, bindings=[OWN, service])
    assert [get(url).json() for url in urls] == [2, 2]
    assert loaded(account) == [["one", "two"]]
    account.put("two", COUNTER, bindings=[OWN])
    assert [get(url).json() for url in urls] == [3, 3]
    assert loaded(account) == [["one"], ["two"]]
    assert [account.enable(name) for name in ("one", "two")] == urls


def test_objects_that_move_to_another_unit_take_their_data_along(account: Account) -> None:
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
    assert loaded(account) == [["one"], ["two"]]


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
    assert loaded(account) == [["one"], ["two"]]
    assert account.rows(database, "SELECT count(*) AS n FROM t") == [{"n": 4}]


def test_a_binding_to_a_database_that_is_deleted_is_gone_at_once(account: Account) -> None:
    source = "export default { fetch: (_, env) => new Response(typeof env.DB) };"
    urls = []
    for name in ("one", "two"):
        bound = {"type": "d1", "name": "DB", "id": account.database(name)}
        account.put(name, source, bindings=[bound])
        urls.append(account.enable(name))
    assert [get(url).text for url in urls] == ["object", "object"]
    account.call("DELETE", f"/d1/database/{bound['id']}")
    assert [get(url).text for url in urls] == ["object", "undefined"]


def test_a_unit_that_nobody_asks_for_ends_and_comes_back_with_its_data(crowded: Account) -> None:
    url = counter(crowded)
    assert get(url).json() == 1
    crowd_out(crowded, "counter")
    assert get(url).json() == 2


def test_open_websockets_keep_their_unit(crowded: Account) -> None:
    crowded.put("echo", ECHO)
    with connect(crowded.enable("echo").replace("http", "ws")) as socket:
        other = crowded.enable("other")
        assert holds(lambda: bool(get(other)) and ["echo"] in loaded(crowded), seconds=3)
        socket.send("here")
        assert socket.recv(timeout=PATIENCE) == "echo here"
    crowd_out(crowded, "echo")


def test_a_running_workflow_keeps_its_unit(crowded: Account) -> None:
    url, other = deploy(crowded), crowded.enable("other")

    def is_kept() -> bool:
        assert get(other).text == "other"
        return ["client", "service"] in loaded(crowded)

    for seconds in (6, 30, 150):  # under load, the Workflow may end before the unit was looked at
        slow = CLIENT.replace("1500", str(seconds * 1000))
        crowded.put("client", slow, bindings=[{**BINDING, "class_name": "Flow"}])
        begun, instance = time.time(), get(url).json()["id"]
        kept = holds(is_kept, seconds=2)
        if time.time() < begun + seconds:
            break
    assert kept
    assert finished(url, instance)["status"] == "complete"
    wait_until(lambda: bool(get(other)) and loaded(crowded) == [["other"]])


def test_an_alarm_of_a_unit_that_has_ended_rings_in_time(crowded: Account) -> None:
    url = counter(crowded)
    begun = time.time()
    get(url)
    load = time.time() - begun
    for seconds in (3.5, 20.0, 100.0):  # under load, a unit may end after its alarm was due
        begun = time.time()
        assert get(url, params={"ring": seconds * 1000}).json() == 0
        crowd_out(crowded, "counter")
        if time.time() < begun + seconds - 1:
            break
    wait_until(lambda: ["counter"] in loaded(crowded))
    rang = wait_until(lambda: get(url, params={"rang": ""}).json()) / 1000 - begun
    assert seconds - 0.1 < rang < seconds + 1.4 + 2 * load


@pytest.mark.long
def test_settling_an_account_tries_every_unit_and_keeps_few(crowded: Account) -> None:
    for number in range(4):
        counter(crowded, f"tenant-{number}")
    assert crowded.control("POST", f"/settle?account={crowded.id}") == {"problems": []}
    wait_until(lambda: len(loaded(crowded)) == 1)


def test_each_workerd_is_started_again_when_it_dies(crowded: Account) -> None:
    crowded.control("PUT", "/units", json={})
    url = counter(crowded)
    database = crowded.database()
    assert get(url).json() == 1
    crashes = f"{crowded.root}/emulator/health"
    before = get(crashes).json()["crashes"]
    killed = workerds(crowded.running.data)
    for each in killed:
        os.kill(each, signal.SIGKILL)
    wait_until(lambda: get(crashes).json()["crashes"] == before + len(killed))
    assert get(url).json() == 2
    assert crowded.rows(database, "SELECT 1 AS one") == [{"one": 1}]


def workerds(data: Path) -> list[int]:
    """The processes of workerd whose parent's command line names the data folder."""
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
