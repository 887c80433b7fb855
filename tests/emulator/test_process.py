"""The emulator's process: started once, stopped completely, and restored after a `kill -9`."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from flowflare.emulator import pidfile, process
from flowflare.emulator.process import Running, Settings
from flowflare.emulator.runtime.bridge import Programs
from flowflare.emulator.server import assemble
from flowflare.errors import EmulatorError
from tests.emulator.emulated import (
    NODE,
    NODE_MODULES,
    Account,
    durable_object,
    get,
    new_sqlite,
    settings,
)
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.workerd

COUNTER = """
import { DurableObject } from "cloudflare:workers";
export class Counter extends DurableObject {
  async next() {
    const n = ((await this.ctx.storage.get("n")) ?? 0) + 1;
    await this.ctx.storage.put("n", n);
    return n;
  }
}
export default {
  async fetch(request, env) {
    return Response.json(await env.C.get(env.C.idFromName("one")).next());
  },
};
"""


def quiet(_: str) -> None:
    """Ignore progress."""


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    yield folder
    process.stop(folder)
    wait_until(lambda: not of_folder(folder))


def of_folder(data: Path) -> list[int]:
    """List the processes that name a data folder on their command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes()
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if os.fsencode(data) in line and state != "Z":
            found.append(int(entry.name))
    return found


def children(pid: int) -> list[int]:
    """List the processes that a process started, and theirs."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid:
            found += [int(entry.name), *children(int(entry.name))]
    return found


@contextmanager
def same_account(running: Running, identity: str) -> Iterator[Account]:
    account = Account(running)
    account.id = identity
    account.http.base_url = httpx.URL(f"{running.base_url}/accounts/{identity}")
    yield account
    account.close()


@contextmanager
def counting(running: Running) -> Iterator[tuple[Account, str]]:
    """Create an account with a Worker that counts, and return it with the Worker's URL."""
    account = Account(running)
    bindings = [durable_object("C", "Counter")]
    account.put("counter", COUNTER, bindings=bindings, migrations=new_sqlite("Counter"))
    yield account, account.enable("counter")
    account.close()


def test_one_emulator_is_started_found_and_stopped_completely(data: Path) -> None:
    data.mkdir()
    recycled = {"pid": os.getpid(), "port": 1, "born": "12345"}
    (data / "emulator.json").write_text(json.dumps(recycled))
    assert process.find_running(data) is None
    assert not process.stop(data)
    (data / "emulator.json").write_text("{ half a")

    found: list[Running] = []
    starts = [
        threading.Thread(target=lambda: found.append(process.start(settings(data), quiet)))
        for _ in range(2)
    ]
    for thread in starts:
        thread.start()
    for thread in starts:
        thread.join()
    running = found[0]
    assert found == [running, process.find_running(data)]
    with pytest.raises(EmulatorError, match=f"runs on port {running.port}, not 1") as raised:
        process.start(settings(data, 1), quiet)
    assert raised.value.remedy == "Stop it first: flowflare emulator stop"

    with counting(running) as (_, url):
        assert get(url).json() == 1
    family = children(running.pid)
    assert process.stop(data)
    wait_until(lambda: not [pid for pid in [running.pid, *family] if pidfile.read_start_time(pid)])
    assert process.find_running(data) is None
    for port in (running.port, int(url.rpartition(":")[2])):
        with socket.socket() as knock:
            assert knock.connect_ex(("127.0.0.1", port)) != 0
    assert not process.stop(data)


@pytest.mark.long
def test_after_kill_9_all_data_is_back_on_the_same_ports(data: Path) -> None:
    running = process.start(settings(data), quiet)
    with counting(running) as (account, url):
        database = account.database()
        account.query(database, "CREATE TABLE t (a); INSERT INTO t VALUES (1)")
        assert get(url).json() == 1
    family = children(running.pid)
    os.kill(running.pid, signal.SIGKILL)
    wait_until(lambda: process.find_running(data) is None)
    again = process.start(settings(data, running.port), quiet)
    wait_until(lambda: not [pid for pid in family if pidfile.read_start_time(pid)])
    assert again.port == running.port
    assert get(url).json() == 2
    with same_account(again, account.id) as found:
        assert found.rows(database, "SELECT a FROM t") == [{"a": 1}]

    process.stop(data)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", int(url.rpartition(":")[2])))
        taken.listen()
        with same_account(process.start(settings(data), quiet), account.id) as found:
            moved = found.call("GET", "/workers/scripts/counter/subdomain")["url"]
        assert moved != url
        assert get(moved).json() == 3


@pytest.mark.long
def test_workerd_and_node_are_restarted_when_they_die(data: Path) -> None:
    running = process.start(settings(data), quiet)
    with counting(running) as (account, url):
        assert get(url).json() == 1
        node = children(running.pid)[0]
        os.kill(children(node)[0], signal.SIGKILL)
        wait_until(lambda: count_of(url) >= 2)
        health = f"{account.root}/emulator/health"
        wait_until(lambda: get(health).json()["crashes"] == 1)
        os.kill(node, signal.SIGKILL)
        wait_until(lambda: count_of(url) >= 3)
        assert account.rows(account.database(), "SELECT 1 AS one") == [{"one": 1}]


def count_of(url: str) -> int:
    """Return the counter, or 0 while the Worker does not answer."""
    try:
        response = get(url)
    except httpx.TransportError:
        return 0
    return int(response.json()) if response.status_code == 200 else 0


def test_an_error_names_a_used_port(data: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EmulatorError, match=f"Port {port} cannot be used: Address already"):
            process.start(settings(data, port), quiet)
    assert process.find_running(data) is None


def test_an_error_names_a_missing_node(data: Path) -> None:
    with pytest.raises(EmulatorError, match="Node cannot be started from /nowhere/node"):
        process.start(Settings(data, 0, Path("/nowhere/node"), NODE_MODULES), quiet)


def test_an_error_names_missing_node_packages(data: Path, tmp_path: Path) -> None:
    with pytest.raises(EmulatorError, match="Cannot find module 'miniflare'"):
        process.start(Settings(data, 0, NODE, tmp_path), quiet)


def test_data_of_another_format_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "emulator.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(EmulatorError, match="has format 99, but this emulator reads only up to"):
        assemble(Programs(NODE, NODE_MODULES, 0), tmp_path, {}, "t" * 40)


def test_the_foreground_prints_one_line_and_obeys_sigterm(data: Path) -> None:
    words = ["--data", data, "--port", "0", "--node", NODE, "--node-modules", NODE_MODULES]
    with subprocess.Popen(
        [sys.executable, "-m", "flowflare.emulator", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as child:
        assert child.stdout is not None
        ready = json.loads(child.stdout.readline())
        assert ready["base_url"] == f"http://127.0.0.1:{ready['port']}/client/v4"
        assert process.find_running(data) is not None
        child.terminate()
        assert child.stdout.read() == ""
        assert child.wait(PATIENCE) == 0
