"""The whole program under the real Pulumi CLI, on the embedded Cloudflare: `pulumi up` and ours.

Cloudflare's own plugin is stood in for by `tests/engine/cloudflare_plugin.py`; CLI 3.274.1.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import Project
from tests.e2e.embedded import Cloudflare
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
