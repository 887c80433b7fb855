"""Lost answers and killed runs converge for Cloudflare resources on the real Pulumi CLI.

`cloudflare_plugin.py` replaces Cloudflare's own plugin. Passes with CLI 3.274.1.
"""

import os
import subprocess
import threading
from datetime import datetime
from pathlib import Path

import pytest

from flowflare.config.files import read_project
from flowflare.engine.pulumi_cli.stack import CliStack
from flowflare.errors import UpdateFailed
from flowflare.values.events import Event
from tests.engine.fake_cloudflare import ACCOUNT, TIME, FakeCloudflare, Request
from tests.engine.killing import kill_tree
from tests.engine.projects import Sample, list_changes
from tests.support.pulumi_cli import cli_environ
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.pulumi_cli
PROGRAM = f"""
    import pulumi
    from cloud import D1Database
    database = D1Database("db", accountId="{ACCOUNT}", name="shop-runs")
    pulumi.export("id", database.id)
"""
LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture
def environ(cloud_sample: Sample, tmp_path: Path) -> dict[str, str]:
    """Return an environment in which the CLI finds the plugin, and create the stack `dev`."""
    environ = {**os.environ, **cloud_sample.environ, **cli_environ(tmp_path)}
    command = ["pulumi", "stack", "init", "organization/p/dev", "--non-interactive"]
    subprocess.run(command, cwd=cloud_sample.root, env=environ, check=True, capture_output=True)
    return environ


def open_stack(sample: Sample, environ: dict[str, str]) -> CliStack:
    project = read_project(sample.write_program(PROGRAM).root, "dev")
    began = datetime.fromisoformat(TIME)  # the fake Cloudflare creates everything at this time
    return CliStack(project, environ=environ, utc_now=lambda: began)


def is_creation(request: Request) -> bool:
    return (request.method, request.path.rpartition("/")[2]) == ("POST", "database")


@pytest.mark.long
def test_a_database_whose_answer_was_lost_is_found_and_adopted(
    cloud_sample: Sample, cloudflare: FakeCloudflare, environ: dict[str, str]
) -> None:
    """The database is created, its answer is lost, and the second request says that it exists."""
    faults = ["cut"]

    def lose(request: Request, when: str) -> str | None:
        return faults.pop() if faults and when == "after" and is_creation(request) else None

    cloudflare.hook = lose
    stack = open_stack(cloud_sample, environ)
    events: list[Event] = []
    update = stack.up(events.append)
    [row] = cloudflare.world.databases.values()
    assert update.outputs == {"id": row["uuid"]}
    assert any("the response was lost; adopted as" in event.message for event in events)
    assert stack.up().changed == 0
    assert list_changes(stack.preview()) == {}


@pytest.mark.long
def test_a_database_that_existed_before_is_not_adopted(
    cloud_sample: Sample, cloudflare: FakeCloudflare, environ: dict[str, str]
) -> None:
    row = {"uuid": "id-1", "name": "shop-runs", "created_at": LONG_AGO, "num_tables": 0}
    cloudflare.world.databases["id-1"] = row
    with pytest.raises(UpdateFailed, match="nothing shows that this stack made it"):
        open_stack(cloud_sample, environ).up()
    assert list(cloudflare.world.databases) == ["id-1"]


@pytest.mark.long
def test_a_creation_whose_run_was_killed_is_settled_by_the_next_run(
    cloud_sample: Sample, cloudflare: FakeCloudflare, environ: dict[str, str]
) -> None:
    is_created, release = threading.Event(), threading.Event()

    def hold(request: Request, when: str) -> str | None:
        if when == "after" and is_creation(request):
            is_created.set()
            release.wait(PATIENCE)
        return None

    cloudflare.hook = hold
    stack = open_stack(cloud_sample, environ)
    command = ["pulumi", "up", "--yes", "--skip-preview", "--stack", "dev", "--non-interactive"]
    with subprocess.Popen(
        command,
        cwd=cloud_sample.root,
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert is_created.wait(PATIENCE)
        kill_tree(process.pid)
    release.set()
    cloudflare.hook = None
    stack.unlock()
    assert stack.up().outputs == {"id": next(iter(cloudflare.world.databases))}
    assert len(cloudflare.world.databases) == 1
    stack.destroy()
    assert cloudflare.world.databases == {}
