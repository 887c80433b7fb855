"""After a run is killed at any API call, the next run converges and creates nothing twice.

`kill -9` leaves the state file and the account as they are at that moment. `record` copies both
before and after each call of a run, and each copy is continued by a run of its own. Two tests at
the end kill real processes.
"""

import copy
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from flowflare.errors import LockedError, UpdateFailed
from tests.engine.fake_cloudflare import ACCOUNT, FakeCloudflare, Request, World
from tests.engine.projects import PASSPHRASE, Sample, Things, list_changes
from tests.engine.test_cloudflare import make_graph
from tests.support.waiting import PATIENCE, wait_until


@dataclass(frozen=True)
class Moment:
    """What a run that dies in the middle of a call leaves."""

    call: str
    state: str
    world: World


def record(sample: Sample, cloudflare: FakeCloudflare, run: Callable[[], object]) -> list[Moment]:
    """Run, and copy the state and the account before and after each call."""
    moments: list[Moment] = []

    def keep(request: Request, when: str) -> None:
        state = sample.state_file.read_text() if sample.state_file.exists() else ""
        moments.append(Moment(f"{when} {request.short}", state, cloudflare.copy_world()))

    cloudflare.hook = keep
    run()
    cloudflare.hook = None
    cloudflare.requests.clear()
    return moments


def resume(sample: Sample, cloudflare: FakeCloudflare, moment: Moment) -> None:
    """Reset the state and the account to a moment."""
    sample.state_file.write_text(moment.state)
    cloudflare.world = copy.deepcopy(moment.world)
    cloudflare.requests.clear()


EXPECTED = {
    "databases": ["flow"],
    "scripts": ["flowflare-service", "orders"],
    "workflows": ["order"],
    "subdomains": ["orders"],
    "schedules": ["flowflare-service"],
}


def assert_settled(sample: Sample, cloudflare: FakeCloudflare, call: str) -> None:
    assert "pending_operations" not in sample.read_latest(), call
    assert not any(each.get("initErrors") for each in sample.read_records()), call
    assert sample.find_record("db")["id"] in cloudflare.world.databases, call
    cloudflare.requests.clear()
    assert sample.up().changed == 0, call
    assert cloudflare.requests == [], call


def test_a_first_up_killed_at_any_call_converges(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    cloud_sample.write_program(make_graph())
    moments = record(cloud_sample, cloudflare, cloud_sample.up)
    assert len(moments) == 12
    for moment in moments:
        resume(cloud_sample, cloudflare, moment)
        pending = cloud_sample.read_latest()["pending_operations"]
        assert [each["type"] for each in pending] == ["creating"], moment.call
        cloud_sample.up()
        assert cloudflare.world.names() == EXPECTED, moment.call
        posts = [write for write in cloudflare.list_writes() if write == "POST /d1/database"]
        assert len(posts) <= (moment.call == "before POST /d1/database"), moment.call
        assert_settled(cloud_sample, cloudflare, moment.call)


@pytest.mark.long
def test_an_update_killed_at_any_call_converges_even_if_it_is_reverted(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    cloud_sample.write_program(make_graph("1")).up()
    cloud_sample.write_program(make_graph("2"))
    moments = record(cloud_sample, cloudflare, cloud_sample.up)
    for code in ("1", "2"):
        for moment in moments:
            resume(cloud_sample, cloudflare, moment)
            cloud_sample.write_program(make_graph(code)).up()
            module = cloudflare.world.scripts["flowflare-service"]["module"]
            assert f"Response('{code}')" in module, moment.call
            assert_settled(cloud_sample, cloudflare, moment.call)


@pytest.mark.parametrize("option", ["", ', jurisdiction="eu"'])
@pytest.mark.parametrize("is_reverted", [False, True])
@pytest.mark.long
def test_a_replacement_killed_at_any_call_converges(
    cloud_sample: Sample, cloudflare: FakeCloudflare, option: str, is_reverted: bool
) -> None:
    """A new name is created first; with the same name the old database is deleted first."""
    name = "flow" if option else "flow2"
    new = make_graph().replace('name="flow"', f'name="{name}"{option}')
    cloud_sample.write_program(make_graph()).up()
    cloud_sample.write_program(new)
    moments = record(cloud_sample, cloudflare, cloud_sample.up)
    assert len(moments) == 6
    for moment in moments:
        resume(cloud_sample, cloudflare, moment)
        cloud_sample.write_program(make_graph() if is_reverted else new).up()
        names = {**EXPECTED, "databases": ["flow" if is_reverted else name]}
        assert cloudflare.world.names() == names
        assert_settled(cloud_sample, cloudflare, moment.call)


@pytest.mark.long
def test_a_script_rename_killed_at_any_call_converges(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    def make_program(name: str) -> str:
        return f"""
            from cloud import *
            D1Database("db", accountId="{ACCOUNT}", name="flow")
            WorkersScript("w", accountId="{ACCOUNT}", scriptName="{name}", mainModule="w.js",
                content="x", bindings=[])
        """

    cloud_sample.write_program(make_program("one")).up()
    cloud_sample.write_program(make_program("two"))
    moments = record(cloud_sample, cloudflare, cloud_sample.up)
    for name in ("one", "two"):
        for moment in moments:
            resume(cloud_sample, cloudflare, moment)
            cloud_sample.write_program(make_program(name)).up()
            assert cloudflare.world.names()["scripts"] == [name], moment.call
            assert_settled(cloud_sample, cloudflare, moment.call)


@pytest.mark.long
@pytest.mark.parametrize("then", ["destroy", "up"])
def test_a_first_up_killed_at_any_call_can_be_reverted(
    cloud_sample: Sample, cloudflare: FakeCloudflare, then: str
) -> None:
    cloud_sample.write_program(make_graph())
    moments = record(cloud_sample, cloudflare, cloud_sample.up)
    cloud_sample.write_program("import pulumi")
    for moment in moments:
        resume(cloud_sample, cloudflare, moment)
        getattr(cloud_sample, then)()
        assert not any(cloudflare.world.names().values()), moment.call
        assert "pending_operations" not in cloud_sample.read_latest()


@pytest.mark.long
def test_a_destroy_killed_at_any_call_converges(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    cloud_sample.write_program(make_graph()).up()
    moments = record(cloud_sample, cloudflare, cloud_sample.destroy)
    for moment in moments:
        resume(cloud_sample, cloudflare, moment)
        cloud_sample.destroy()
        assert not any(cloudflare.world.names().values()), moment.call
        resume(cloud_sample, cloudflare, moment)
        cloud_sample.up()
        assert cloudflare.world.names() == EXPECTED, moment.call
        assert_settled(cloud_sample, cloudflare, moment.call)


def test_an_interrupted_creation_does_not_take_a_database_with_tables(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    """The run is killed before it sends the request, and another client creates that database."""
    cloud_sample.write_program(make_graph())
    first = record(cloud_sample, cloudflare, cloud_sample.up)[0]
    resume(cloud_sample, cloudflare, first)
    cloudflare.world.databases["x"] = {"uuid": "x", "name": "flow", "num_tables": 4}
    with pytest.raises(UpdateFailed, match="this stack did not create it"):
        cloud_sample.up()
    cloud_sample.destroy()
    assert list(cloudflare.world.databases) == ["x"]


@pytest.mark.parametrize("call", ["POST /d1/database", "PUT /workers/scripts/orders"])
def test_a_request_that_failed_with_a_502_is_not_repeated_in_the_same_run(
    cloud_sample: Sample, cloudflare: FakeCloudflare, call: str
) -> None:
    failed = []

    def fail(request: Request, when: str) -> str | None:
        if when == "after" and request.short == call:
            failed.append(request)
        return "502" if failed else None

    cloudflare.hook = fail
    with pytest.raises(UpdateFailed, match="HTTP 502"):
        cloud_sample.write_program(make_graph()).up()
    pending = cloud_sample.read_latest()["pending_operations"]
    assert [each["type"] for each in pending] == ["creating"]
    cloudflare.hook = None
    cloud_sample.up()
    assert cloudflare.world.names() == EXPECTED
    assert_settled(cloud_sample, cloudflare, call)


# Real processes -----------------------------------------------------------------------------------

RUN = "import sys; from pathlib import Path; from tests.support.embedded import open_embedded; "
RUN += "open_embedded(Path(sys.argv[1]), 'dev').up()"


def start_up(sample: Sample) -> subprocess.Popen[bytes]:
    environ = {**os.environ, "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}
    command = [sys.executable, "-c", RUN, str(sample.root)]
    return subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL)


def test_the_lock_of_a_killed_process_is_taken_over_by_the_next_run(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    cloud_sample.write_program(make_graph())

    def kill(request: Request, when: str) -> str | None:
        if when == "after" and request.short == "POST /d1/database":
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            return "cut"
        return None

    cloudflare.hook = kill
    process = start_up(cloud_sample)
    assert process.wait(PATIENCE) == -signal.SIGKILL
    cloudflare.hook = None
    assert cloudflare.world.names()["databases"] == ["flow"]
    locks = cloud_sample.root / ".flowflare/state/.pulumi/locks/organization/p/dev"
    (lock,) = [json.loads(path.read_text()) for path in locks.iterdir()]
    assert lock["pid"] == process.pid
    cloud_sample.up()
    notes = [event.message for event in cloud_sample.events if event.kind == "note"]
    assert any(f"(pid {process.pid})" in note for note in notes)
    assert cloudflare.world.names() == EXPECTED
    assert list(locks.iterdir()) == []


def test_a_second_run_is_refused_while_the_first_runs(thing_sample: Sample, world: Things) -> None:
    thing_sample.write_module(
        "slow",
        """
        import time
        from pathlib import Path
        from pulumi.dynamic import *
        class Slow(ResourceProvider):
            def configure(self, req):
                self.world = Path(req.config.require("world"))
            def create(self, props):
                (self.world / "begun").touch()
                while not (self.world / "go").exists():
                    time.sleep(0.01)
                return CreateResult("slow", {})
        class Thing(Resource):
            def __init__(self, name):
                super().__init__(Slow(), name, {})
        """,
    ).write_program("from slow import Thing\nThing('slow')")
    process = start_up(thing_sample)
    try:
        wait_until((world.folder / "begun").exists, process=process)
        with pytest.raises(
            LockedError, match=rf"(?s)pid {process.pid}.*flowflare unlock"
        ) as caught:
            thing_sample.open().up()
        assert caught.value.exit_code == 1
        with pytest.raises(LockedError):
            thing_sample.open().destroy()
        with pytest.raises(LockedError):
            thing_sample.open().unlock()
        assert list_changes(thing_sample.open().preview()) == {"slow": "create"}
        (world.folder / "go").touch()
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
    shutil.rmtree(world.folder)
    assert thing_sample.up().changed == 0


def test_a_stack_whose_state_folder_was_deleted_is_created_again(cloud_sample: Sample) -> None:
    cloud_sample.write_program(make_graph()).up()
    shutil.rmtree(cloud_sample.root / ".flowflare")
    assert cloud_sample.preview().changed == 6
