"""The Pulumi CLI runs a stack whose secrets are all canaries, and no command shows one of them.

`tests/engine/cloudflare_plugin.py` replaces Cloudflare's plugin.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.canaries.planted import Planted, make_planted
from tests.canaries.running import run_process
from tests.e2e.embedded import Cloudflare
from tests.support.pulumi_cli import cli_environ

pytestmark = [
    pytest.mark.pulumi_cli,
    pytest.mark.long,
    pytest.mark.workerd,
    pytest.mark.xdist_group("e2e"),
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]
NEW = "new"
#: Programs that the CLI starts with its environment: `git`, and the shells that start its plugins.
STARTED_BY_THE_CLI = ("git", "sh")
#: Commands on the new stack after its first `up`, all of which succeed.
AFTER_UP = ("outputs", "outputs --json", "drift --exit-code --json", "preview --diff")


@pytest.fixture
def canary_project(tmp_path: Path, cloudflare: Cloudflare) -> Planted:
    """The project of canaries, the CLI, and a new stack of the CLI that is not deployed."""
    made = make_planted(tmp_path, cloudflare)
    made.environ |= cli_environ(tmp_path / "cli", made.environ["PULUMI_BACKEND_URL"])
    made.write_config(NEW)
    command = ["pulumi", "stack", "init", f"organization/flowflare/{NEW}", "--non-interactive"]
    subprocess.run(command, cwd=made.root, env=os.environ | made.environ, check=True)
    made.note_files()
    return made


def run(canary_project: Planted, words: str, *, code: int = 0) -> None:
    said = run_process(canary_project, *words.split(), "-s", NEW, trusted=STARTED_BY_THE_CLI)
    assert said.code == code, f"{words}: {said.out}{said.err}"


def test_no_canary_shows_when_the_pulumi_cli_brings_a_stack_up(canary_project: Planted) -> None:
    """Cloudflare refuses the first `up`, and the second `up` resumes."""
    with canary_project.project.account.inject_fault(
        {"kind": "answer", "status": 403}, method="PUT"
    ) as fault:
        run(canary_project, "up --yes", code=1)
        assert fault.count_fired()
    run(canary_project, "up --yes --json")
    assert "a secret of new" in canary_project.canaries.values
    for words in AFTER_UP:
        run(canary_project, words)
    assert canary_project.canaries.seen == []
