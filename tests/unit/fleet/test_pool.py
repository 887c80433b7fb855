"""The pool with real worker processes: results, events, crashes, kills, cancellation, secrets."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from flowflare.config.files import read_project_file
from flowflare.errors import EngineError, SecretError
from flowflare.fleet.workers.pool import Pool, Result, Task, TaskEvent
from flowflare.fleet.workers.worker import Worker, default_workers
from tests.engine.fake_cloudflare import ACCOUNT, TOKEN, FakeCloudflare, Request
from tests.engine.integrity import verify
from tests.engine.killing import list_children
from tests.engine.projects import CLOUD, PASSPHRASE, SALT
from tests.support.embedded import open_embedded
from tests.support.waiting import wait_until

PROGRAM = """
import contextlib
import os
import stat
import pulumi
from cloud import D1Database

config = pulumi.Config("p")
act = config.get("act")
if act == "crash":
    os._exit(7)
if act == "kill":
    os.kill(os.getpid(), 9)
if act == "fail":
    raise ValueError("the program does not want to")
if act == "print":
    print("to standard output")
    os.write(1, b"past Python\\n")
if act == "talk":
    print("\\n".join(f"line {number}" for number in range(5000)))
if act == "garble":
    for descriptor in range(3, 64):
        with contextlib.suppress(OSError):
            if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                os.write(descriptor, b"7\\n")
if act == "environ":
    print(" ".join(f"{name}={value}" for name, value in os.environ.items() if "SECRET" in name))
if act == "fork" and os.fork() == 0:
    print("the copy")
before = None
for number in range(config.get_int("databases") or 0):
    opts = pulumi.ResourceOptions(depends_on=[before] if before else [])
    before = D1Database(f"db{number}", opts, accountId=config.get("account"), name=f"db{number}")
pulumi.export("answer", 42)
"""
#: So many that even a slow worker notices the end of its parent before it has made them all.
DATABASES = 30
PARENT = """
import json, os, sys
from pathlib import Path
from flowflare.config.files import read_project_file
from flowflare.fleet.workers.pool import Pool, Task

root, stack = Path(sys.argv[1]), sys.argv[2]
with Pool(read_project_file(root), lambda _: os.environ, 1) as pool:
    print("began", flush=True)
    for result in pool.run([Task("up", stack)]):
        print(result, flush=True)
"""


def project(root: Path, stacks: Mapping[str, Mapping[str, Any]], base_url: str = "") -> Path:
    (root / "infra").mkdir(parents=True)
    (root / "Pulumi.yaml").write_text("name: p\nruntime: python\nmain: infra\n")
    (root / "infra/__main__.py").write_text(PROGRAM)
    (root / "infra/cloud.py").write_text(CLOUD)
    common = {"flowflare:engine": "embedded", "p:account": ACCOUNT}
    common |= {"cloudflare:baseUrl": base_url, "cloudflare:apiToken": TOKEN} if base_url else {}
    for name, own in stacks.items():
        file = {"encryptionsalt": SALT, "config": {**common, **own}}
        (root / f"Pulumi.{name}.yaml").write_text(json.dumps(file))
    return root


def environ_of(stack: str) -> dict[str, str]:
    if stack == "keyless":
        raise SecretError("stack keyless has no passphrase", remedy="Write one.")
    return {**os.environ, "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE, "SECRET_OF": stack}


def by_stack(results: list[Result]) -> dict[str, Result]:
    return {result.task.stack: result for result in results}


def test_a_task_does_not_affect_the_others(tmp_path: Path) -> None:
    acts = ("crash", "fail", "print", "environ", "fork", "kill", "fine", "keyless", "last")
    root = project(tmp_path / "p", {name: {"p:act": name} for name in acts})
    events: list[TaskEvent] = []
    with Pool(read_project_file(root), environ_of, 2) as pool:
        wanted = [*acts, "nowhere"]
        tasks = (Task("preview", stack) for stack in wanted)
        found = by_stack(list(pool.run(tasks, events.append)))
        again = list(pool.run([Task("outputs", "fine")]))
    assert found.keys() == set(wanted)
    failed = {stack for stack, result in found.items() if not result.ok}
    assert failed == {"crash", "fail", "kill", "keyless", "nowhere"}
    assert found["crash"].error == "its process ended: exit code 7"
    assert found["kill"].error.startswith("its process ended: signal SIGKILL")
    assert "--workers" in found["kill"].remedy
    assert "the program does not want to" in found["fail"].error
    assert "Pulumi.nowhere.yaml" in found["nowhere"].error
    assert (found["keyless"].error, found["keyless"].remedy) == (
        "stack keyless has no passphrase",
        "Write one.",
    )
    notes = {(event.task.stack, event.data["message"]) for event in events if event.kind == "note"}
    assert {("print", "to standard output"), ("print", "past Python")} <= notes
    # A task has only its own environment variables, not those of the task before it.
    assert ("environ", "SECRET_OF=environ") in notes
    assert [event.task.stack for event in events if event.kind == "began"].count("fine") == 1
    assert again[0].value == {}


def test_a_message_that_cannot_be_read_fails_only_its_task(tmp_path: Path) -> None:
    """A program has written to the pipe of the messages, which is open in its process."""
    root = project(tmp_path / "p", {name: {"p:act": name} for name in ("garble", "fine")})
    with Pool(read_project_file(root), environ_of, 1) as pool:
        found = by_stack(list(pool.run(Task("preview", name) for name in ("garble", "fine"))))
    assert found["garble"].error.startswith("its process ended: ")
    assert found["fine"].ok


def test_each_line_that_a_program_prints_counts_for_its_own_stack(tmp_path: Path) -> None:
    """The output uses another pipe than the result, which may be read first."""
    root = project(tmp_path / "p", {name: {"p:act": "talk"} for name in ("a", "b", "c")})
    events: list[TaskEvent] = []
    with Pool(read_project_file(root), environ_of, 1) as pool:
        list(pool.run((Task("preview", stack) for stack in ("a", "b", "c")), events.append))
    notes = Counter(event.task.stack for event in events if event.kind == "note")
    assert notes == {"a": 5000, "b": 5000, "c": 5000}


def test_an_up_reports_its_steps_and_counts_its_calls(tmp_path: Path) -> None:
    events: list[TaskEvent] = []
    with FakeCloudflare() as cloudflare:
        root = project(tmp_path / "p", {"a": {"p:databases": 2}}, cloudflare.base_url)
        with Pool(read_project_file(root), environ_of, 1) as pool:
            [up] = pool.run([Task("up", "a")], events.append)
            [down] = pool.run([Task("destroy", "a")])
            [unknown] = pool.run([Task("dance", "a")])
    assert (up.ok, up.value["steps"], up.value["outputs"]) == (True, {"create": 2}, {"answer": 42})
    assert up.api_calls == 2
    done = [event.data["name"] for event in events if event.data.get("kind") == "done"]
    assert {"db0", "db1"} <= set(done)
    assert (down.ok, down.value["steps"]) == (True, {"delete": 2})
    assert (unknown.ok, unknown.error) == (False, "there is no task of the kind 'dance'")


def test_a_stopped_pool_starts_no_more_tasks_and_ends_its_workers(tmp_path: Path) -> None:
    root = project(tmp_path / "p", {name: {} for name in "abcd"})
    found = []
    with Pool(read_project_file(root), environ_of, 1) as pool:
        for result in pool.run(Task("outputs", stack) for stack in "abcd"):
            found.append(result.task.stack)
            pool.stop()
        [worker] = pool._alive
    assert found == ["a"]
    assert not alive(worker.pid)


def test_a_worker_gets_no_secrets_of_the_parents_environment(tmp_path: Path) -> None:
    root = project(tmp_path / "p", {"a": {}})
    os.environ["SECRET_OF_ANOTHER"] = "hunter2"  # as a fleet's passphrases are
    try:
        with Pool(read_project_file(root), environ_of, 1) as pool:
            [result] = pool.run([Task("outputs", "a")])
            [worker] = pool._alive
            own = Path(f"/proc/{worker.pid}/environ").read_bytes()
            words = Path(f"/proc/{worker.pid}/cmdline").read_bytes()
    finally:
        del os.environ["SECRET_OF_ANOTHER"]
    assert result.ok
    assert b"hunter2" not in own + words
    assert PASSPHRASE.encode() not in own + words


def test_workers_that_do_not_start_fail_the_pool(tmp_path: Path) -> None:
    root = project(tmp_path / "p", {name: {} for name in "abcdef"})
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text("import os; os._exit(3)")
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(broken)
    try:
        with (
            Pool(read_project_file(root), environ_of, 1) as pool,
            pytest.raises(EngineError, match="exit code 3"),
        ):
            list(pool.run(Task("outputs", stack) for stack in "abcdef"))
    finally:
        os.environ.pop("PYTHONPATH")
        if before is not None:
            os.environ["PYTHONPATH"] = before


@pytest.mark.parametrize("how", ["killed", "cancelled"])
def test_after_the_end_of_its_parent_a_worker_finishes_its_call_and_its_state(
    tmp_path: Path, how: str
) -> None:
    with FakeCloudflare() as cloudflare:
        cloudflare.hook = slowly
        root = project(tmp_path / "p", {"a": {"p:databases": DATABASES}}, cloudflare.base_url)
        parent = subprocess.Popen(
            [sys.executable, "-c", PARENT, str(root), "a"],
            env=environ_of("a"),
            stdout=subprocess.PIPE,
        )
        wait_until(lambda: len(cloudflare.requests) >= 2)
        [worker] = list_children(parent.pid)
        parent.send_signal(signal.SIGKILL if how == "killed" else signal.SIGINT)
        wait_until(lambda: not alive(worker))
        parent.communicate()
        databases = cloudflare.copy_world().databases.values()
        made = sorted(database["name"] for database in databases)
        assert len(made) < DATABASES
        state = root / ".flowflare/state/.pulumi/stacks/p/a.json"
        verify(state)
        latest = json.loads(state.read_text())["checkpoint"]["latest"]
        assert not latest.get("pending_operations")
        resources = latest["resources"]
        ids = {each.get("id") for each in resources if "d1Database" in each["type"]}
        assert ids == set(cloudflare.copy_world().databases)
        cloudflare.hook = None
        open_embedded(root, "a", environ=environ_of("a")).up()
        names = [each["name"] for each in cloudflare.copy_world().databases.values()]
        assert set(names) == {f"db{number}" for number in range(DATABASES)}


def test_a_call_without_a_response_stays_pending_when_the_parent_ends(tmp_path: Path) -> None:
    with FakeCloudflare() as cloudflare:
        root = project(tmp_path / "p", {"a": {"p:databases": 1}}, cloudflare.base_url)
        # The database is created, but the response is lost, and so is every further one.
        cloudflare.hook = lambda request, when: "cut" if when == "after" else None
        parent = subprocess.Popen(
            [sys.executable, "-c", PARENT, str(root), "a"],
            env=environ_of("a"),
            stdout=subprocess.PIPE,
        )
        wait_until(lambda: len(cloudflare.requests) >= 2)
        [worker] = list_children(parent.pid)
        parent.kill()
        parent.communicate()
        wait_until(lambda: not alive(worker))
        state = root / ".flowflare/state/.pulumi/stacks/p/a.json"
        [pending] = json.loads(state.read_text())["checkpoint"]["latest"]["pending_operations"]
        assert pending["type"] == "creating"
        cloudflare.hook = None
        open_embedded(root, "a", environ=environ_of("a")).up()
        assert len(cloudflare.copy_world().databases) == 1


def slowly(request: Request, when: str) -> None:
    if when == "before":
        time.sleep(0.3)


def test_a_worker_that_was_reading_ends_at_once(tmp_path: Path) -> None:
    root = project(tmp_path / "p", {"a": {}})
    worker = Worker(root, lambda _: None)
    worker.dismiss()
    worker.wait()
    # The worker was not killed after the grace period.
    assert worker.describe_end() == "exit code 0"
    assert not alive(worker.pid)


def test_a_machine_has_between_1_and_8_workers() -> None:
    assert 1 <= default_workers() <= 8


def alive(pid: int) -> bool:
    """Return whether a process runs; a zombie has ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
