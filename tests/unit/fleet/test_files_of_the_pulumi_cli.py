"""The Pulumi CLI with the files of a fleet and of an ephemeral environment. Passed with 3.274.1."""

import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from flowflare.config.files import read_project_file
from flowflare.fleet.environments.lifecycle import CommandContext, bring_up, take_down
from flowflare.fleet.tenants.files import stack_files, write
from flowflare.fleet.tenants.prune import prune
from flowflare.fleet.tenants.read import read_fleet
from tests.engine.fake_cloudflare import TOKEN, FakeCloudflare
from tests.support.pulumi_cli import cli_environ

pytestmark = pytest.mark.pulumi_cli
FLEET = f"""
defaults: {{accountId: {"f" * 32}, debug: true, retentionDays: 30}}
environments: {{prod: {{}}}}
tenants: {{acme: {{config: {{shop:list: [1, {{a: "b: c"}}]}}}}}}
"""
PROGRAM = """
import pulumi
config = pulumi.Config("flowflare")
pulumi.export("is", f"{config.get('tenant')} {config.get('environment')} {config.get('protect')}")
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, **cli_environ(tmp_path), "PULUMI_CONFIG_PASSPHRASE": "one"}


@pytest.fixture
def cloudflare() -> Iterator[FakeCloudflare]:
    with FakeCloudflare() as fake:
        yield fake


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (root / "__main__.py").write_text(PROGRAM)
    (root / "tenants.yaml").write_text(FLEET)
    return root


@pytest.fixture
def pulumi(root: Path, environ: dict[str, str]) -> Callable[..., str]:
    def run(*words: str) -> str:
        done = subprocess.run(
            ["pulumi", *words, "--non-interactive"],
            cwd=root,
            env=environ,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    return run


def test_what_the_cli_writes_to_a_stack_file_is_kept(
    root: Path, environ: dict[str, str], pulumi: Callable[..., str]
) -> None:
    def kinds() -> list[str]:
        return [file.kind for file in stack_files(read_fleet(read_project_file(root), environ))]

    write(stack_files(read_fleet(read_project_file(root), environ)), root)
    pulumi("stack", "init", "acme-prod")
    pulumi("config", "set", "--secret", "a:token", "secret", "-s", "acme-prod")
    assert kinds() == ["same"]
    pulumi("config", "set", "flowflare:debug", "false", "-s", "acme-prod")
    assert kinds() == ["changed"]
    write(stack_files(read_fleet(read_project_file(root), environ)), root)
    got = [
        pulumi("config", "get", key, "-s", "acme-prod") for key in ("a:token", "flowflare:debug")
    ]
    assert [text.strip() for text in got] == ["secret", "true"]
    assert pulumi("config", "get", "shop:list", "-s", "acme-prod").strip() == '[1,{"a":"b: c"}]'

    (root / "tenants.yaml").write_text(FLEET.partition("tenants:")[0])
    [pruned] = prune(
        stack_files(read_fleet(read_project_file(root), environ)), read_project_file(root), environ
    )
    assert not pruned.why_kept


@pytest.mark.long
def test_an_environment_has_its_own_stack(
    root: Path, environ: dict[str, str], pulumi: Callable[..., str], cloudflare: FakeCloudflare
) -> None:
    # The names of the configuration are looked up, though this program creates no Worker.
    environ |= {"CLOUDFLARE_API_TOKEN": TOKEN, "CLOUDFLARE_BASE_URL": cloudflare.base_url}
    write(stack_files(read_fleet(read_project_file(root), environ)), root)

    pulumi("stack", "init", "acme-prod")
    pulumi("config", "set", "--secret", "shop:key", "secret", "-s", "acme-prod")
    where = CommandContext(root, environ)
    opened = bring_up("pr-1", where, ttl=timedelta(hours=1), base="acme-prod")
    assert opened.update.outputs["is"] == "acme pr1 false"
    assert pulumi("config", "get", "shop:key", "-s", "pr-1").strip() == "secret"
    assert "acme-prod*" in pulumi("stack", "ls")
    again = bring_up("pr-1", where, ttl=timedelta(hours=1))
    assert again.record.base == "acme-prod"

    assert take_down("pr-1", where)
    assert "pr-1" not in pulumi("stack", "ls")
    assert not (root / "Pulumi.pr-1.yaml").exists()
