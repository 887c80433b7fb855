"""Many stacks of the real Pulumi CLI run at once, and killed runs leave nothing behind.

Passes with CLI 3.274.1.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from flowflare.config.files import read_project, read_project_file
from flowflare.engine.pulumi_cli.children import MARK, end_left_behind, mark_of
from flowflare.fleet.engines import CheckedEnvirons, open_fleet_stack
from flowflare.fleet.forwarder.server import Forwarder
from flowflare.fleet.workers.pool import Pool, Result, Task
from tests.aws import serve_aws
from tests.engine.fake_cloudflare import ACCOUNT, TOKEN, FakeCloudflare, Request
from tests.engine.projects import CLOUD
from tests.support.pulumi_cli import cli_environ
from tests.support.waiting import PATIENCE, wait_until

STACKS = ("acme-prod", "beta-prod", "cafe-prod")
PROGRAM = f"""
import pulumi
from cloud import D1Database, WorkersScript
database = D1Database("db", accountId="{ACCOUNT}", name=f"{{pulumi.get_stack()}}-runs")
pulumi.export("id", database.id)
pulumi.export("hidden", pulumi.Config().require_secret("hidden"))
"""
pytestmark = pytest.mark.pulumi_cli


@dataclass
class Fleet:
    """A project with a stack of the CLI for each tenant."""

    root: Path
    environ: dict[str, str]

    def make_environ(self, stack: str) -> Mapping[str, str]:
        return {**self.environ, "PULUMI_CONFIG_PASSPHRASE": f"passphrase of {stack}"}

    def pulumi(self, stack: str, *words: str) -> str:
        run = subprocess.run(
            ["pulumi", *words, "--stack", stack, "--non-interactive"],
            cwd=self.root,
            env={**os.environ, **self.make_environ(stack)},
            check=False,
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    def run(self, pool: Pool, kind: str = "up") -> dict[str, Result]:
        results = pool.run(Task(kind, stack) for stack in STACKS)
        return {result.task.stack: result for result in results}


@pytest.fixture
def fleet(tmp_path: Path, cloudflare: FakeCloudflare) -> Fleet:
    return make_fleet(tmp_path, cloudflare)


@pytest.fixture(params=["file", "s3"])
def any_fleet(
    request: pytest.FixtureRequest, tmp_path: Path, cloudflare: FakeCloudflare
) -> Iterator[Fleet]:
    """Create a fleet with its state in a folder, and in a bucket."""
    if request.param == "file":
        yield make_fleet(tmp_path, cloudflare)
        return
    with serve_aws() as aws:
        location = {"LocationConstraint": "eu-central-1"}
        aws.open_client("s3").create_bucket(Bucket="states", CreateBucketConfiguration=location)
        url = f"s3://states?endpoint={aws.endpoint}&region=eu-central-1&s3ForcePathStyle=true"
        environment = {key: value for key, value in aws.environment.items() if "URL" not in key}
        yield make_fleet(tmp_path, cloudflare, url, **environment)


def make_fleet(folder: Path, cloudflare: FakeCloudflare, backend: str = "", **more: str) -> Fleet:
    root = folder / "project"
    (root / "infra").mkdir(parents=True)
    (root / "Pulumi.yaml").write_text("name: p\nruntime: python\nmain: infra\n")
    (root / "infra" / "__main__.py").write_text(PROGRAM)
    (root / "infra" / "cloud.py").write_text(CLOUD)
    environ = {
        **cli_environ(folder, backend),
        "HOME": str(folder),
        "CLOUDFLARE_API_TOKEN": TOKEN,
        "CLOUDFLARE_BASE_URL": cloudflare.base_url,
        **more,
    }
    fleet = Fleet(root, environ)
    for stack in STACKS:
        fleet.pulumi(stack, "stack", "init")
        fleet.pulumi(stack, "config", "set", "--secret", "p:hidden", f"secret of {stack}")
    fleet.pulumi("acme-prod", "stack", "select")
    return fleet


@pytest.mark.long
def test_three_stacks_at_once_share_a_budget_and_nothing_else(
    any_fleet: Fleet, cloudflare: FakeCloudflare
) -> None:
    fleet = any_fleet
    shared = read_project_file(fleet.root)
    prepared = CheckedEnvirons(shared, fleet.make_environ, needs_cli=True)
    with (
        Forwarder() as forwarder,
        Pool(shared, prepared.environ_of, 3, forwarder.address) as pool,
    ):
        results = fleet.run(pool)
        assert [result.error for result in results.values()] == ["", "", ""]
        assert forwarder.counts() == dict.fromkeys(STACKS, 1)
        assert cloudflare.world.names()["databases"] == [f"{stack}-runs" for stack in STACKS]
        assert {result.value["changed"] for result in fleet.run(pool).values()} == {0}
    for stack in STACKS:
        exported = fleet.pulumi(stack, "stack", "export")
        assert "127.0.0.1" not in exported
        outputs = json.loads(fleet.pulumi(stack, "stack", "output", "--json", "--show-secrets"))
        assert outputs["hidden"] == f"secret of {stack}"
    fleet.pulumi("beta-prod", "preview", "--expect-no-changes")
    selected = subprocess.run(
        ["pulumi", "stack", "--show-name"],
        cwd=fleet.root,
        env={**os.environ, **fleet.environ},
        check=True,
        capture_output=True,
        text=True,
    )
    assert selected.stdout.strip() == "acme-prod"


def find_processes(root: Path) -> list[int]:
    """List the processes that run for any stack of a project."""
    mark = f"{MARK}={mark_of(root)}".encode()
    pids = []
    for folder in Path("/proc").iterdir():
        try:
            if mark in (folder / "environ").read_bytes():
                pids.append(int(folder.name))
        except (OSError, ValueError):
            continue
    return pids


@pytest.fixture
def held_creation(cloudflare: FakeCloudflare) -> Iterator[tuple[threading.Event, threading.Event]]:
    """Set the first event when acme's database is created, and answer after the second event."""
    is_created, release = threading.Event(), threading.Event()

    def hold(request: Request, when: str) -> str | None:
        if when == "after" and request.method == "POST" and "acme" in str(request.body):
            is_created.set()
            release.wait(PATIENCE)
        return None

    cloudflare.hook = hold
    yield is_created, release
    release.set()


def run_and_kill(fleet: Fleet, is_created: threading.Event) -> None:
    """Start `up` for acme in a process, and kill only that process while a call waits."""
    code = (
        "import sys; from pathlib import Path; from flowflare.config.files import read_project\n"
        "from flowflare.fleet.engines import open_fleet_stack; import os\n"
        "open_fleet_stack(read_project(Path(sys.argv[1]), 'acme-prod'), os.environ).up()"
    )
    environ = {**os.environ, **fleet.make_environ("acme-prod")}
    with subprocess.Popen([sys.executable, "-c", code, str(fleet.root)], env=environ) as process:
        assert is_created.wait(PATIENCE)
        assert find_processes(fleet.root)
        process.kill()


@pytest.mark.long
def test_a_killed_worker_leaves_no_process_and_no_lock(
    fleet: Fleet,
    cloudflare: FakeCloudflare,
    held_creation: tuple[threading.Event, threading.Event],
) -> None:
    """The CLI completes the current call, writes the state and exits, and so do its plugins."""
    is_created, release = held_creation
    run_and_kill(fleet, is_created)
    release.set()
    wait_until(lambda: not find_processes(fleet.root))
    cloudflare.hook = None
    stack = open_fleet_stack(read_project(fleet.root, "acme-prod"), fleet.make_environ("acme-prod"))
    update = stack.up()
    assert update.outputs["id"] in cloudflare.world.databases
    assert len(cloudflare.world.databases) == 1
    assert [step.op for step in update.steps if step.name == "db"] == ["same"]


@pytest.mark.long
def test_processes_of_a_killed_cli_are_ended_and_its_creation_is_settled(
    fleet: Fleet,
    cloudflare: FakeCloudflare,
    held_creation: tuple[threading.Event, threading.Event],
) -> None:
    is_created, release = held_creation
    run_and_kill(fleet, is_created)
    [cli] = [pid for pid in find_processes(fleet.root) if is_cli(pid)]
    os.kill(cli, 9)
    wait_until(lambda: cli not in find_processes(fleet.root))
    assert find_processes(fleet.root)
    release.set()
    cloudflare.hook = None
    stack = open_fleet_stack(read_project(fleet.root, "acme-prod"), fleet.make_environ("acme-prod"))
    stack.unlock()
    assert stack.up().outputs["id"] in cloudflare.world.databases
    assert len(cloudflare.world.databases) == 1
    wait_until(lambda: not find_processes(fleet.root))
    assert end_left_behind(mark_of(fleet.root)) == []


def is_cli(pid: int) -> bool:
    return Path(f"/proc/{pid}/exe").resolve().name == "pulumi"
