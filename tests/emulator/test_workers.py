"""Workers run on their own ports, with their bindings, and are current after every change."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from websockets.sync.client import connect

from flowflare.emulator.process import Running
from tests.emulator.emulated import Account, durable_object, get, new_sqlite, upload
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.workerd

SAY = "export default { fetch: () => new Response('%s') };"
ECHO = """
export default {
  fetch(request) {
    const pair = new WebSocketPair();
    pair[1].accept();
    pair[1].addEventListener("message", ({ data }) => pair[1].send(`echo ${data}`));
    return new Response(null, { status: 101, webSocket: pair[0] });
  },
};
"""
VARIABLES = """
export default {
  async fetch(request, env) {
    const { results } = await env.DB.prepare("SELECT a FROM t").all();
    return Response.json({ text: env.TEXT, json: env.JSON, secret: env.KEY, results });
  },
  async scheduled(event, env) {
    await env.DB.prepare("INSERT INTO t VALUES (?)").bind(event.cron).run();
  },
};
"""


def reloads(account: Account) -> int:
    log = account.running.log.read_text()
    return log.count("runtime reloaded")


def reloads_at_rest(account: Account) -> int:
    """Return the count after everything that earlier tests changed is loaded."""
    account.put("last")
    account.control("POST", f"/settle?account={account.id}")
    return reloads(account)


def test_a_worker_answers_only_while_its_subdomain_is_enabled(account: Account) -> None:
    account.put("app", SAY % "here")
    url = account.call("GET", "/workers/scripts/app/subdomain")["url"]
    assert get(url).status_code == 404
    assert account.enable("app") == url
    assert get(url).text == "here"
    disabled = account.call("DELETE", "/workers/scripts/app/subdomain")
    assert (disabled["enabled"], disabled["url"]) == (False, url)
    assert get(url).status_code == 404


def test_a_request_reaches_the_code_uploaded_last(account: Account) -> None:
    account.put("app", SAY % "0")
    url = account.enable("app")
    with httpx.Client() as client:
        for number in range(1, 3):
            account.put("app", SAY % number)
            assert client.get(url).text == str(number)


def test_workerd_reloads_once_for_a_burst_of_changes(account: Account) -> None:
    account.put("app")
    get(account.enable("app"))
    before = reloads_at_rest(account)
    for number in range(5):
        account.put("app", SAY % number)
        account.put(f"app-{number}", SAY % number)
    account.control("POST", f"/settle?account={account.id}")
    assert reloads(account) - before <= 2


def test_unused_accounts_cause_no_reload(account: Account, cloud: Running) -> None:
    """A reload for another account does not reload them either."""
    account.put("app")
    account.enable("app")
    other = Account(cloud)
    other.put("app", SAY % "asked for")
    assert get(other.enable("app")).text == "asked for"
    runtime = account.control("GET", "/workers")["runtime"]
    loaded = [unit["account"] for unit in runtime["loaded"]]
    assert other.id in runtime["accounts"]
    assert other.id in loaded
    assert account.id not in runtime["accounts"]
    assert account.id not in loaded
    other.close()


def test_two_accounts_may_use_the_same_names(account: Account, cloud: Running) -> None:
    other = Account(cloud)
    for each, text in ((account, "one"), (other, "two")):
        each.put("app", SAY % text)
    urls = [each.enable("app") for each in (account, other)]
    assert [get(url).text for url in urls] == ["one", "two"]
    other.close()


def test_variables_secrets_databases_and_crons_reach_the_worker(account: Account) -> None:
    database = account.database()
    account.query(database, "CREATE TABLE t (a); INSERT INTO t VALUES ('from the api')")
    bindings = [
        {"type": "plain_text", "name": "TEXT", "text": "plain"},
        {"type": "json", "name": "JSON", "json": {"list": [1, None]}},
        {"type": "secret_text", "name": "KEY", "text": "s3cret"},
        {"type": "d1", "name": "DB", "id": database},
    ]
    account.put("app", VARIABLES, bindings=bindings)
    answer = get(account.enable("app")).json()
    assert answer["text"] == "plain"
    assert answer["json"] == {"list": [1, None]}
    assert answer["secret"] == "s3cret"
    assert answer["results"] == [{"a": "from the api"}]
    account.call("PUT", "/workers/scripts/app/schedules", json=[{"cron": "*/5 * * * *"}])
    ran = account.control("POST", "/cron", json={"account": account.id, "script": "app"})
    assert ran == {"outcome": "ok", "cron": "*/5 * * * *"}
    assert account.rows(database, "SELECT a FROM t")[1] == {"a": "*/5 * * * *"}


def test_a_worker_imports_modules_of_every_type(account: Account) -> None:
    source = """
    import data from "./data.json";
    import text from "./text.txt";
    import bytes from "./bytes.bin";
    export default { fetch: () => Response.json([data, text, bytes.byteLength]) };
    """
    files = [
        *upload(source),
        ("a", ("data.json", '{"list": [1, null]}', "application/json")),
        ("b", ("text.txt", "plain", "text/plain")),
        ("c", ("bytes.bin", "bytes", "application/octet-stream")),
    ]
    account.call("PUT", "/workers/scripts/app", files=files)
    assert get(account.enable("app")).json() == [{"list": [1, None]}, "plain", 5]


def test_services_and_durable_objects_work_across_scripts(account: Account) -> None:
    service = """
    import { DurableObject } from "cloudflare:workers";
    export class Counter extends DurableObject {
      async next() {
        const n = ((await this.ctx.storage.get("n")) ?? 0) + 1;
        await this.ctx.storage.put("n", n);
        return n;
      }
    }
    export default { fetch: () => new Response("service") };
    """
    client = """
    export default {
      async fetch(request, env) {
        const counter = env.COUNTER.get(env.COUNTER.idFromName("one"));
        return Response.json([await (await env.SVC.fetch(request)).text(), await counter.next()]);
      },
    };
    """
    account.put("service", service, migrations=new_sqlite("Counter"))
    bindings = [
        {"type": "service", "name": "SVC", "service": "service"},
        durable_object("COUNTER", "Counter", "service"),
    ]
    account.put("client", client, bindings=bindings)
    url = account.enable("client")
    assert get(url).json() == ["service", 1]
    account.put("service", service + "// changed")
    assert get(url).json() == ["service", 2]


def test_websockets_pass_through(account: Account) -> None:
    account.put("app", ECHO)
    url = account.enable("app").replace("http", "ws")
    with connect(url) as socket:
        socket.send("hello")
        assert socket.recv(timeout=PATIENCE) == "echo hello"


def test_queries_run_while_workers_are_reloaded(account: Account) -> None:
    database = account.database()
    account.query(database, "CREATE TABLE t (a)")
    account.put("app")
    get(account.enable("app"))

    def insert(number: int) -> None:
        account.query(database, "INSERT INTO t VALUES (?)", number)

    with ThreadPoolExecutor(4) as pool:
        inserted = [pool.submit(insert, number) for number in range(40)]
        account.put("app", SAY % "changed")
        account.control("POST", f"/settle?account={account.id}")
        for insertion in inserted:
            insertion.result()
    assert account.rows(database, "SELECT count(*) AS n FROM t") == [{"n": 40}]


def test_a_worker_that_does_not_start_affects_no_other(account: Account, cloud: Running) -> None:
    broken = Account(cloud)
    # It starts alone, but fails with a variable that overrides its own prototype.
    source = """
    import { env } from "cloudflare:workers";
    if (env.BREAK) throw new Error("broken by its environment");
    export default { fetch: () => new Response("starts") };
    """
    broken.put("app", source, bindings=[{"type": "plain_text", "name": "BREAK", "text": "1"}])
    url = broken.enable("app")
    account.put("app", SAY % "fine")
    fine = account.enable("app")
    assert get(fine).text == "fine"
    assert get(url).status_code == 503
    assert get(fine).text == "fine"
    account.put("app", SAY % "still")
    assert get(fine).text == "still"
    broken.put("app", source)
    assert get(url).text == "starts"
    broken.close()
