"""The whole program under the real Pulumi CLI, on the embedded Cloudflare: `pulumi up` and ours.

Cloudflare's own plugin is stood in for by `tests/engine/cloudflare_plugin.py`; CLI 3.274.1.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Project
from tests.e2e.embedded import Cloudflare
from tests.e2e.test_own_stores import STORES, configure
from tests.support.pulumi_cli import cli_environ

pytestmark = [pytest.mark.pulumi_cli, pytest.mark.long]


@pytest.fixture
def environ(project: Project, cloudflare: Cloudflare, tmp_path: Path) -> dict[str, str]:
    """What makes the example's stack one of the CLI, with what `flowflare emulator env` prints."""
    project.edit("Pulumi.local.yaml", "flowflare:engine: embedded", "flowflare:engine: pulumi")
    return {
        **cli_environ(tmp_path),
        "PULUMI_CONFIG_PASSPHRASE": "correct horse",
        "CLOUDFLARE_API_TOKEN": cloudflare.token,
    }


def pulumi(project: Project, environ: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        ["pulumi", *words, "--non-interactive"],
        cwd=project.root,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_plain_pulumi_and_flowflare_run_the_same_program(
    project: Project, environ: dict[str, str]
) -> None:
    pulumi(project, environ, "stack", "init", "organization/flowflare/local")
    first = project.flowflare("preview", "--json", **environ)
    assert first.returncode == 0, first.stderr
    planned = {
        one["name"] for one in json.loads(first.stdout)["resources"] if one["op"] == "create"
    }
    pulumi(project, environ, "up", "--yes", "--skip-preview", "--stack", "local")
    assert len(project.account.databases()) == 1
    assert len(project.account.scripts()) == 2
    exported = json.loads(pulumi(project, environ, "stack", "export", "--stack", "local"))
    made = {one["urn"].rpartition("::")[2] for one in exported["deployment"]["resources"]}
    assert planned <= made

    after = project.account.last_request()
    again = project.flowflare("up", "--json", **environ)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["changed"] == 0
    assert project.account.writes(after) == []

    looked = project.flowflare("doctor", "--json", **environ)
    checks = json.loads(looked.stdout)["checks"]
    assert not [check for check in checks if check["status"] == "fail"]
    assert {"token", "account", "permission", "stack"} <= {check["name"] for check in checks}

    gone = project.flowflare("destroy", "--yes", **environ)
    assert gone.returncode == 0, gone.stderr
    assert project.account.holds_nothing()


def test_stores_and_consumers_are_made_compared_and_destroyed(
    project: Project, environ: dict[str, str]
) -> None:
    def run(*words: str) -> Any:
        done = project.flowflare(*words, "--json", **environ)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def drift() -> list[Any]:
        [stack] = run("drift")["stacks"]
        assert stack["unknown"] == []
        return list(stack["findings"])

    configure(project)
    pulumi(project, environ, "stack", "init", "organization/flowflare/local")
    pulumi(project, environ, "up", "--yes", "--skip-preview", "--stack", "local")
    assert project.account.stores() == STORES
    pulumi(project, environ, "preview", "--expect-no-changes", "--stack", "local")
    assert not [change for change in run("preview")["resources"] if change["op"] != "same"]
    assert drift() == []

    queue = next(
        queue for queue in project.account.get("/queues") if queue["queue_name"] == STORES[3]
    )
    [consumer] = queue["consumers"]
    body = {"type": "worker", "script_name": consumer["script_name"], "settings": {"batch_size": 7}}
    path = f"/queues/{queue['queue_id']}/consumers/{consumer['consumer_id']}"
    project.account.put(path, body)
    paths = {finding["path"] for finding in drift()}
    assert {"settings.batch_size", "dead_letter_queue"} <= paths

    # The stand-in plugin leaves the inputs of a refreshed resource as they are, so `up` after a
    # refresh would not put this back.
    gone = project.flowflare("destroy", "--yes", **environ)
    assert gone.returncode == 0, gone.stderr
    assert project.account.stores() == []
    assert project.account.holds_nothing()
