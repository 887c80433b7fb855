"""How a fleet's stacks are opened: engine, forwarder address, and required plugins."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from flowflare.config.files import read_project, read_project_file
from flowflare.engine.embedded.stack import EmbeddedStack
from flowflare.engine.pulumi_cli.plugins import HOSTS
from flowflare.engine.pulumi_cli.stack import CliStack
from flowflare.engine.pulumi_cli.versions import cloudflare_plugin
from flowflare.errors import ConfigError, EngineError
from flowflare.fleet.engines import CheckedEnvirons, open_fleet_stack
from flowflare.fleet.forwarder.address import make_url

ADDRESS = "http://127.0.0.1:4000/token"
# Records its arguments, its working directory and its environment variables.
PULUMI = """#!{python}
import json, os, pathlib, sys
here = pathlib.Path(__file__).parent
if sys.argv[1:] == ["version"]:
    print("v3.274.1")
    sys.exit()
names = ("CLOUDFLARE_BASE_URL", "CLOUDFLARE_API_BASE_URL", "NO_PROXY")
with (here / "calls").open("a") as calls:
    environ = {{name: os.environ.get(name) for name in names}}
    print(json.dumps([sys.argv[1:], os.getcwd(), environ]), file=calls)
print("{{}}")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pulumi = tmp_path / "bin" / "pulumi"
    pulumi.parent.mkdir()
    pulumi.write_text(PULUMI.format(python=sys.executable))
    pulumi.chmod(0o755)
    for host in HOSTS:
        (pulumi.parent / host).touch(mode=0o755)
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (tmp_path / "Pulumi.acme-prod.yaml").write_text("config:\n  shop:a: b\n")
    return tmp_path


def environ(folder: Path) -> Mapping[str, str]:
    return {
        "PATH": str(folder / "bin"),
        "HOME": str(folder),
        "PULUMI_BACKEND_URL": f"file://{folder}",
    }


def test_commands_of_the_cli_get_the_forwarders_address(folder: Path) -> None:
    stack = open_fleet_stack(read_project(folder, "acme-prod"), environ(folder), ADDRESS)
    assert isinstance(stack, CliStack)
    stack.export()
    [words, _, given] = json.loads((folder / "bin/calls").read_text())
    assert words[:2] == ["stack", "export"]
    url = make_url(ADDRESS, "acme-prod")
    assert given == {
        "CLOUDFLARE_BASE_URL": url,
        "CLOUDFLARE_API_BASE_URL": url,
        "NO_PROXY": "127.0.0.1,localhost",
    }
    assert stack.setting("cloudflare:baseUrl") == url


def test_without_a_forwarder_a_stack_may_set_its_own_address(folder: Path) -> None:
    own = "http://127.0.0.1:9/client/v4"
    text = f"config:\n  cloudflare:baseUrl: {own}\n"
    (folder / "Pulumi.acme-prod.yaml").write_text(text)
    project = read_project(folder, "acme-prod")
    stack = open_fleet_stack(project, environ(folder))
    assert isinstance(stack, CliStack)
    assert stack.setting("cloudflare:baseUrl") == own
    with pytest.raises(ConfigError) as refused:
        open_fleet_stack(project, environ(folder), ADDRESS)
    assert "Pulumi.acme-prod.yaml:2: `cloudflare:baseUrl`" in str(refused.value)
    assert "set the environment variable CLOUDFLARE_BASE_URL" in str(refused.value)


def test_an_embedded_stack_keeps_its_address(folder: Path) -> None:
    (folder / "Pulumi.acme-prod.yaml").write_text("config:\n  flowflare:engine: embedded\n")
    project = read_project(folder, "acme-prod")
    assert isinstance(open_fleet_stack(project, environ(folder), ADDRESS), EmbeddedStack)


def test_a_missing_plugin_fails_every_stack_and_is_looked_for_once(folder: Path) -> None:
    environs = CheckedEnvirons(read_project_file(folder), lambda _: environ(folder), needs_cli=True)
    named = f"pulumi plugin install resource cloudflare {cloudflare_plugin().version}"
    for _ in range(2):
        with pytest.raises(EngineError, match=named):
            environs.environ_of("acme-prod")
        (folder / "bin" / "pulumi").unlink(missing_ok=True)
    assert not (folder / "bin/calls").exists(), "nothing is downloaded"


def test_each_stack_gets_its_own_environment_if_the_plugins_are_installed(folder: Path) -> None:
    (folder / "bin/pulumi-resource-cloudflare").touch(mode=0o755)

    def environ_of(stack: str) -> Mapping[str, str]:
        return {**environ(folder), "PULUMI_CONFIG_PASSPHRASE": stack}

    environs = CheckedEnvirons(read_project_file(folder), environ_of, needs_cli=True)
    for stack in ("acme-prod", "beta-prod"):
        assert environs.environ_of(stack) == environ_of(stack)


def test_a_fleet_that_does_not_need_the_cli_does_not_look_for_it(folder: Path) -> None:
    project = read_project_file(folder)
    environs = CheckedEnvirons(project, lambda stack: {"STACK": stack}, needs_cli=False)
    assert environs.environ_of("acme-dev") == {"STACK": "acme-dev"}
