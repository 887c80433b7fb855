"""A saved plan is applied to the account as it was approved, by either engine, and only once."""

import json
from pathlib import Path

import pytest

from flowflare.errors import PlanError
from tests.cli.command import CliResult, flowflare
from tests.e2e.conftest import Project
from tests.e2e.embedded import Cloudflare
from tests.e2e.test_pulumi_cli import pulumi, use_cli

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]


def run(project: Project, *words: str) -> CliResult:
    return flowflare(*words, "--cwd", str(project.root))


def test_a_plan_is_applied_unless_the_state_has_moved(project: Project) -> None:
    plan = str(project.root / "plan.json")
    assert run(project, "preview", "--out", plan).code == 0
    first = run(project, "up", "--plan", plan)
    assert first.code == 0, first.err
    assert "Done in" in first.out
    last = project.account.find_last_request()
    again = run(project, "up", "--plan", plan)
    assert again.code == 1
    assert "state: flowflare-service-database was added" in again.err
    assert "program: " in again.err
    assert project.account.list_writes(last) == []

    assert run(project, "preview", "--out", plan).code == 0
    by_hand = {"name": "BY_HAND", "text": "x", "type": "secret_text"}
    project.account.put("/workers/scripts/local-flowflare-orders/secrets", by_hand)
    moved = run(project, "up", "--plan", plan)
    assert moved.code == 1
    assert moved.err.splitlines()[1] == "  account: local-flowflare-orders was changed"

    assert run(project, "preview", "--out", plan).code == 0
    project.edit("Pulumi.local.yaml", "protect: false", "protect: true")
    project.open_stack().up()
    project.edit("Pulumi.local.yaml", "protect: true", "protect: false")
    moved = run(project, "up", "--plan", plan)
    assert moved.code == 1
    assert "state: flowflare-service-database was changed" in moved.err


def test_a_run_checks_the_state_while_it_holds_the_stack(project: Project) -> None:
    """Another run can write the state after the plan was compared and before the stack is held."""
    seen = []

    def refuse(deployment: object) -> None:
        held = project.root / ".flowflare/state/.pulumi/locks"
        seen.append([path for path in held.rglob("*") if path.is_file()])
        raise PlanError("the state moved")

    with pytest.raises(PlanError):
        project.open_stack().up(check_state=refuse)
    assert [len(locks) > 0 for locks in seen] == [True]
    assert project.account.list_scripts() == []


@pytest.mark.pulumi_cli
@pytest.mark.long
def test_the_pulumi_cli_applies_a_saved_plan_once(
    project: Project, cloudflare: Cloudflare, tmp_path: Path
) -> None:
    environ = use_cli(project, cloudflare, tmp_path)
    pulumi(project, environ, "stack", "init", "organization/flowflare/local")
    refused = project.flowflare("up", **environ)
    assert (refused.returncode, project.account.list_scripts()) == (1, [])
    assert "up of stack local must be approved" in refused.stderr

    saved = project.flowflare("preview", "--out", "plan.json", "--json", **environ)
    assert saved.returncode == 0, saved.stderr
    digest = saved.stderr.rstrip().rpartition(" ")[2]
    words = ("up", "--plan", "plan.json", "--digest", digest)
    first = project.flowflare(*words, "--json", **environ)
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["changed"] == json.loads(saved.stdout)["changed"] == 11
    last = project.account.find_last_request()
    again = project.flowflare(*words, **environ)
    assert again.returncode == 1
    assert "state: flowflare-service-database was added" in again.stderr
    assert project.account.list_writes(last) == []
    unchanged = project.flowflare("preview", "--out", "plan.json", **environ)
    assert "Nothing would change." in unchanged.stdout
    assert project.flowflare("up", "--plan", "plan.json", **environ).returncode == 0
