"""Runs that are killed: at every API call the next one converges, and nothing is made twice.

What `kill -9` leaves is the state file as it is at that moment and the world as it is. Both are
copied at each call of one run, and each copy is then taken up by a run of its own; two tests at
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
from pathlib import Path

import pytest

from flowflare.errors import LockedError, UpdateFailed
from tests.engine.fake_cloudflare import ACCOUNT, FakeCloudflare, Request, World
from tests.engine.projects import PASSPHRASE, Sample, changed
from tests.engine.projects import World as Things
from tests.engine.test_cloudflare import graph
from tests.support.waiting import PATIENCE, wait_until


@dataclass(frozen=True)
class Moment:
    """What is left when a run dies in the middle of a call."""

    call: str
    state: str
    world: World


def record(sample: Sample, cloudflare: FakeCloudflare, run: Callable[[], object]) -> list[Moment]:
    """Runs and copies state and world before and after each call is carried out."""
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
    """Puts state and world back to a moment."""
    sample.state_file.write_text(moment.state)
    cloudflare.world = copy.deepcopy(moment.world)
    cloudflare.requests.clear()


WANTED = {
    "databases": ["flow"],
    "scripts": ["flowflare-service", "orders"],
    "workflows": ["order"],
    "subdomains": ["orders"],
    "schedules": ["flowflare-service"],
}


def assert_settled(sample: Sample, cloudflare: FakeCloudflare, call: str) -> None:
    assert "pending_operations" not in sample.latest(), call
    assert not any(one.get("initErrors") for one in sample.records()), call
    assert sample.record("db")["id"] in cloudflare.world.databases, call
    cloudflare.requests.clear()
    assert sample.up().changed == 0, call
    assert cloudflare.requests == [], call


def test_a_first_up_killed_at_any_call_converges(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    cloud_sample.program(graph())
    moments = record(cloud_sample, cloudflare, cloud_sample.up)
    assert len(moments) == 12
    for moment in moments:
        resume(cloud_sample, cloudflare, moment)
        pending = cloud_sample.latest()["pending_operations"]
        assert [one["type"] for one in pending] == ["creating"], moment.call
        cloud_sample.up()
        assert cloudflare.world.names() == WANTED, moment.call
        posts = [one for one in cloudflare.writes() if one == "POST /d1/database"]
        assert len(posts) <= (moment.call == "before POST /d1/database"), moment.call
        assert_settled(cloud_sample, cloudflare, moment.call)


@pytest.mark.long
def test_an_update_killed_at_any_call_converges_even_if_it_is_taken_back(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    cloud_sample.program(graph("1")).up()
    cloud_sample.program(graph("2"))
    moments = record(cloud_sample, cloudflare, cloud_sample.up)
    for code in ("1", "2"):
        for moment in moments:
            resume(cloud_sample, cloudflare, moment)
            cloud_sample.program(graph(code)).up()
            module = cloudflare.world.scripts["flowflare-service"]["module"]
            assert f"Response('{code}')" in module, moment.call
            assert_settled(cloud_sample, cloudflare, moment.call)


@pytest.mark.parametrize("option", ["", ', jurisdiction="eu"'])
@pytest.mark.parametrize("back", [False, True])
@pytest.mark.long
def test_a_replacement_killed_at_any_call_converges(
    cloud_sample: Sample, cloudflare: FakeCloudflare, option: str, back: bool
) -> None:
    """With a new name the new one comes first; with the same name the old one goes first."""
    name = "flow" if option else "flow2"
    new = graph().replace('name="flow"', f'name="{name}"{option}')
    cloud_sample.program(graph()).up()
    cloud_sample.program(new)
    moments = record(cloud_sample, cloudflare, cloud_sample.up)
    assert len(moments) == 6
    for moment in moments:
        resume(cloud_sample, cloudflare, moment)
        cloud_sample.program(graph() if back else new).up()
        assert cloudflare.world.names() == {**WANTED, "databases": ["flow" if back else name]}
        assert_settled(cloud_sample, cloudflare, moment.call)


@pytest.mark.long
def test_a_renamed_script_killed_at_any_call_converges(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    def program(name: str) -> str:
        return f"""
            from cloud import *
            D1Database("db", accountId="{ACCOUNT}", name="flow")
            WorkersScript("w", accountId="{ACCOUNT}", scriptName="{name}", mainModule="w.js",
                content="x", bindings=[])
        """

    cloud_sample.program(program("one")).up()
    cloud_sample.program(program("two"))
    moments = record(cloud_sample, cloudflare, cloud_sample.up)
    for name in ("one", "two"):
        for moment in moments:
            resume(cloud_sample, cloudflare, moment)
            cloud_sample.program(program(name)).up()
            assert cloudflare.world.names()["scripts"] == [name], moment.call
            assert_settled(cloud_sample, cloudflare, moment.call)


@pytest.mark.parametrize("then", ["destroy", "up"])
def test_a_first_up_killed_at_any_call_can_be_taken_down(
    cloud_sample: Sample, cloudflare: FakeCloudflare, then: str
) -> None:
    cloud_sample.program(graph())
    moments = record(cloud_sample, cloudflare, cloud_sample.up)
    cloud_sample.program("import pulumi")
    for moment in moments:
        resume(cloud_sample, cloudflare, moment)
        getattr(cloud_sample, then)()
        assert not any(cloudflare.world.names().values()), moment.call
        assert "pending_operations" not in cloud_sample.latest()


def test_a_destroy_killed_at_any_call_converges(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    cloud_sample.program(graph()).up()
    moments = record(cloud_sample, cloudflare, cloud_sample.destroy)
    for moment in moments:
        resume(cloud_sample, cloudflare, moment)
        cloud_sample.destroy()
        assert not any(cloudflare.world.names().values()), moment.call
        resume(cloud_sample, cloudflare, moment)
        cloud_sample.up()
        assert cloudflare.world.names() == WANTED, moment.call
        assert_settled(cloud_sample, cloudflare, moment.call)


def test_an_interrupted_creation_does_not_take_a_database_with_tables(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    """Killed before the request went out, and somebody else made one of that name."""
    cloud_sample.program(graph())
    first = record(cloud_sample, cloudflare, cloud_sample.up)[0]
    resume(cloud_sample, cloudflare, first)
    cloudflare.world.databases["x"] = {"uuid": "x", "name": "flow", "num_tables": 4}
    with pytest.raises(UpdateFailed, match="this stack did not create it"):
        cloud_sample.up()
    cloud_sample.destroy()
    assert list(cloudflare.world.databases) == ["x"]


@pytest.mark.parametrize("call", ["POST /d1/database", "PUT /workers/scripts/orders"])
def test_an_api_that_dies_with_the_answer_is_not_asked_for_a_second_one(
    cloud_sample: Sample, cloudflare: FakeCloudflare, call: str
) -> None:
    dead = []

    def die(request: Request, when: str) -> str | None:
        if when == "after" and request.short == call:
            dead.append(request)
        return "502" if dead else None

    cloudflare.hook = die
    with pytest.raises(UpdateFailed, match="HTTP 502"):
        cloud_sample.program(graph()).up()
    assert [one["type"] for one in cloud_sample.latest()["pending_operations"]] == ["creating"]
    cloudflare.hook = None
    cloud_sample.up()
    assert cloudflare.world.names() == WANTED
    assert_settled(cloud_sample, cloudflare, call)


# Real processes -----------------------------------------------------------------------------------

RUN = "import sys; from pathlib import Path; from tests.support.embedded import open_embedded; "
RUN += "open_embedded(Path(sys.argv[1]), 'dev').up()"


def start(sample: Sample) -> subprocess.Popen[bytes]:
    environ = {**os.environ, "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}
    command = [sys.executable, "-c", RUN, str(sample.root)]
    return subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL)


def test_a_killed_process_leaves_a_lock_that_the_next_run_takes_over(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    cloud_sample.program(graph())

    def die(request: Request, when: str) -> str | None:
        if when == "after" and request.short == "POST /d1/database":
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            return "cut"
        return None

    cloudflare.hook = die
    process = start(cloud_sample)
    assert process.wait(PATIENCE) == -signal.SIGKILL
    cloudflare.hook = None
    assert cloudflare.world.names()["databases"] == ["flow"]
    locks = cloud_sample.root / ".flowflare/state/.pulumi/locks/organization/p/dev"
    (lock,) = [json.loads(path.read_text()) for path in locks.iterdir()]
    assert lock["pid"] == process.pid
    cloud_sample.up()
    notes = [one.message for one in cloud_sample.events if one.kind == "note"]
    assert any(f"(pid {process.pid})" in note for note in notes)
    assert cloudflare.world.names() == WANTED
    assert list(locks.iterdir()) == []


def test_a_second_run_is_refused_while_the_first_is_under_way(
    thing_sample: Sample, world: Things
) -> None:
    thing_sample.module(
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
    ).program("from slow import Thing\nThing('slow')")
    process = start(thing_sample)
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
        assert changed(thing_sample.open().preview()) == {"slow": "create"}
        (world.folder / "go").touch()
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
    shutil.rmtree(world.folder)
    assert thing_sample.up().changed == 0


def test_a_destroyed_folder_is_a_new_stack(cloud_sample: Sample, tmp_path: Path) -> None:
    cloud_sample.program(graph()).up()
    shutil.rmtree(cloud_sample.root / ".flowflare")
    assert cloud_sample.preview().changed == 6
    assert tmp_path.exists()
