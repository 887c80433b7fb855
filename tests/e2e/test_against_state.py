"""`flowflare diff --against state` reports what `up` would do now, and a comment can show it."""

import json
import subprocess

import pytest

from tests.cli.command import CliResult, flowflare
from tests.e2e.conftest import Project

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]


def git(project: Project, *words: str) -> str:
    identity = ("-c", "user.name=ann", "-c", "user.email=ann@example.com")
    command = ["git", *identity, *words]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def diff(project: Project, *words: str) -> CliResult:
    return flowflare("diff", *words, "--cwd", str(project.root))


def test_a_commit_that_was_not_deployed_is_still_in_the_report(project: Project) -> None:
    """The pull request changes one thing; the commit before it, another, was never deployed."""
    git(project, "init", "--quiet")
    (project.root / ".gitignore").write_text(".flowflare\nnode_modules\n")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "Deployed")
    project.open_stack().up()
    same = json.loads(diff(project, "--against", "state", "--format", "json").out)
    assert (same["base"], same["sections"], same["unchanged"]) == (None, [], ["local"])
    assert same["head"]["sha"] == git(project, "rev-parse", "HEAD")

    project.configure("flowflare:retentionDays: 30")
    git(project, "commit", "--all", "--quiet", "--message", "Not deployed")
    project.configure("flowflare:debug: true")
    git(project, "commit", "--all", "--quiet", "--message", "The pull request")
    commits = diff(project, "HEAD~1", "--format", "json")
    deployed = diff(project, "--against", "state", "--format", "json")
    crons = []
    for said in (commits, deployed):
        (section,) = json.loads(said.out)["sections"]
        assert section["error"] == ""
        changed = {entry["name"] for entry in section["review"]["entries"] if entry["op"] != "same"}
        assert "flowflare-service-script" in changed
        crons.append("flowflare-service-crons" in changed)
    assert crons == [False, True]
    assert "the stacks' state" in diff(project, "--against", "state", "--format", "markdown").out
    assert diff(project, "--against", "state", "--exit-code").code == 2


def test_a_base_and_the_state_exclude_each_other(project: Project) -> None:
    for words in ((), ("HEAD", "--against", "state")):
        said = diff(project, *words)
        assert said.code == 2
        assert "either BASE" in said.err
