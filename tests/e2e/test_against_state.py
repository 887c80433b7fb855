"""`flowflare diff --against state` reports what `up` would do now, and a comment can show it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import CliResult, flowflare
from tests.e2e.conftest import Project
from tests.e2e.embedded import Cloudflare
from tests.e2e.test_pulumi_cli import pulumi, use_cli
from tests.support.pulumi_cloud import TOKEN, run_pulumi_cloud

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


@pytest.mark.pulumi_cli
@pytest.mark.long
def test_a_state_in_pulumi_cloud_is_compared_as_far_as_the_login_allows(
    project: Project, cloudflare: Cloudflare, tmp_path: Path
) -> None:
    git(project, "init", "--quiet")
    environ = use_cli(project, cloudflare, tmp_path)
    pulumi(project, environ, "stack", "init", "organization/flowflare/local")
    assert project.flowflare("up", "--yes", **environ).returncode == 0
    exported = json.loads(pulumi(project, environ, "stack", "export", "--show-secrets"))
    git(project, "add", "Pulumi.local.yaml")
    git(project, "commit", "--quiet", "--message", "Deployed")
    with run_pulumi_cloud() as cloud:
        cloud.put("flowflare", "local", exported)
        environ |= {"PULUMI_BACKEND_URL": cloud.url, "PULUMI_ACCESS_TOKEN": TOKEN}

        def compare() -> dict[str, Any]:
            done = project.flowflare("diff", "--against", "state", "--format", "json", **environ)
            found: dict[str, Any] = json.loads(done.stdout)
            return found

        found = compare()
        assert (found["sections"], found["unchanged"]) == ([], ["local"])
        assert any("decrypt" in path for path in cloud.asked)
        engine = "flowflare:engine: pulumi"
        project.edit("Pulumi.local.yaml", engine, f"{engine}\n  flowflare:debug: true")
        (section,) = compare()["sections"]
        changed = [entry["name"] for entry in section["review"]["entries"] if entry["op"] != "same"]
        assert changed == ["flowflare-service-script"]
        environ["PULUMI_ACCESS_TOKEN"] = "pul-expired"
        (section,) = compare()["sections"]
        assert (section["risk"], section["kind"]) == ("unknown", "not-recorded")
        assert f"{cloud.url} refuses the access token" in section["error"]
        assert "pulumi login" in section["error"]
