"""A stack whose file is gone is still deployed: its state is enough to look at and destroy it."""

import json
from pathlib import Path

import pytest

from tests.e2e.conftest import Project
from tests.e2e.embedded import Cloudflare
from tests.e2e.test_pulumi_cli import pulumi, use_cli

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]


def tell_the_story(project: Project, **environ: str) -> None:
    """Deploy the stack, remove its file, and look at the stack until it is destroyed."""

    def run(*words: str, code: int = 0) -> str:
        done = project.flowflare(*words, **environ)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr * (code != 0)

    run("up", "--yes")
    outputs = run("outputs", "--json")
    (project.root / "Pulumi.local.yaml").unlink()
    assert "`Pulumi.local.yaml`" not in run("up", "--yes", code=1)
    assert run("outputs", "--json") == outputs
    said = run("preview")
    assert said.startswith(
        "Pulumi.local.yaml is missing, so no `up` of stack local can run. Its 11 "
    )
    assert "flowflare-service-database           D1Database" in said
    document = json.loads(run("preview", "--json"))
    assert (document["changed"], document["risk"], len(document["resources"])) == (0, "safe", 11)
    assert "11 delete" in run("destroy", "--preview")
    assert project.account.list_scripts() != []
    run("destroy", "--yes")
    assert project.account.is_empty()
    assert not (project.root / "Pulumi.local.yaml").exists()


def test_a_stack_of_the_embedded_engine_is_destroyed_without_its_file(project: Project) -> None:
    tell_the_story(project)


@pytest.mark.pulumi_cli
@pytest.mark.long
def test_a_stack_of_the_pulumi_cli_is_destroyed_without_its_file(
    project: Project, cloudflare: Cloudflare, tmp_path: Path
) -> None:
    environ = use_cli(project, cloudflare, tmp_path)
    pulumi(project, environ, "stack", "init", "organization/flowflare/local")
    tell_the_story(project, **environ)
