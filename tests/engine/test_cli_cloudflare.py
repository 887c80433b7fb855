"""Cloudflare's resources on stacks of the real Pulumi CLI: lost answers and killed runs converge.

Cloudflare's own plugin is stood in for by `cloudflare_plugin.py`. Passed with CLI 3.274.1.
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
from tests.engine.projects import Sample, changed
from tests.support.pulumi_cli import cli_environ
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.pulumi_cli
PROGRAM = f"""
    import pulumi
    from cloud import D1Database
    database = D1Database("db", accountId="{ACCOUNT}", name="shop-runs")
    pulumi.export("id", database.id)
"""
TIMES_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture
def environ(cloud_sample: Sample, tmp_path: Path) -> dict[str, str]:
    """An environment in which the CLI finds the plugin, and `dev` is a stack of it."""
    found = {**os.environ, **cloud_sample.environ, **cli_environ(tmp_path)}
    words = ["pulumi", "stack", "init", "organization/p/dev", "--non-interactive"]
    subprocess.run(words, cwd=cloud_sample.root, env=found, check=True, capture_output=True)
    return found


def opened(sample: Sample, environ: dict[str, str]) -> CliStack:
    project = read_project(sample.program(PROGRAM).root, "dev")
    began = datetime.fromisoformat(TIME)  # when everything on the fake Cloudflare is made
    return CliStack(project, environ=environ, utc_now=lambda: began)


def is_creation(request: Request) -> bool:
    return (request.method, request.path.rpartition("/")[2]) == ("POST", "database")


@pytest.mark.long
def test_a_lost_answer_is_found_and_taken_over(
    cloud_sample: Sample, cloudflare: FakeCloudflare, environ: dict[str, str]
) -> None:
    """The database is made, its answer is lost, and the name is taken when it is asked again."""
    left = ["cut"]

    def lose(request: Request, when: str) -> str | None:
        return left.pop() if left and when == "after" and is_creation(request) else None

    cloudflare.hook = lose
    stack = opened(cloud_sample, environ)
    events: list[Event] = []
    update = stack.up(events.append)
    [row] = cloudflare.world.databases.values()
    assert update.outputs == {"id": row["uuid"]}
    assert any("the answer was lost; taken over" in event.message for event in events)
    assert stack.up().changed == 0
    assert changed(stack.preview()) == {}


@pytest.mark.long
def test_a_database_that_was_there_before_is_left_alone(
    cloud_sample: Sample, cloudflare: FakeCloudflare, environ: dict[str, str]
) -> None:
    row = {"uuid": "id-1", "name": "shop-runs", "created_at": TIMES_AGO, "num_tables": 0}
    cloudflare.world.databases["id-1"] = row
    with pytest.raises(UpdateFailed, match="nothing shows that this stack made it"):
        opened(cloud_sample, environ).up()
    assert list(cloudflare.world.databases) == ["id-1"]


@pytest.mark.long
def test_a_run_killed_before_its_answer_is_settled(
    cloud_sample: Sample, cloudflare: FakeCloudflare, environ: dict[str, str]
) -> None:
    made, release = threading.Event(), threading.Event()

    def hold(request: Request, when: str) -> str | None:
        if when == "after" and is_creation(request):
            made.set()
            release.wait(PATIENCE)
        return None

    cloudflare.hook = hold
    stack = opened(cloud_sample, environ)
    words = ["pulumi", "up", "--yes", "--skip-preview", "--stack", "dev", "--non-interactive"]
    with subprocess.Popen(
        words,
        cwd=cloud_sample.root,
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert made.wait(PATIENCE)
        kill_tree(process.pid)
    release.set()
    cloudflare.hook = None
    stack.unlock()
    assert stack.up().outputs == {"id": next(iter(cloudflare.world.databases))}
    assert len(cloudflare.world.databases) == 1
    stack.destroy()
    assert cloudflare.world.databases == {}
