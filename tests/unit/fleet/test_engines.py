"""How a fleet's stacks are opened: on which engine, through what, and with what made sure of."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from flowflare.config.files import read_project
from flowflare.engine.pulumi.plugins import HOSTS
from flowflare.engine.pulumi.stack import CliStack
from flowflare.engine.pulumi.versions import cloudflare_plugin
from flowflare.engine.stack import EmbeddedStack
from flowflare.errors import ConfigError, EngineError
from flowflare.fleet.engines import Prepared, opened
from flowflare.fleet.forwarder import routed

ADDRESS = "http://127.0.0.1:4000/token"
# Notes what it is asked and how.
PULUMI = """#!{python}
import json, os, pathlib, sys
here = pathlib.Path(__file__).parent
if sys.argv[1:] == ["version"]:
    print("v3.274.1")
    sys.exit()
names = ("CLOUDFLARE_BASE_URL", "CLOUDFLARE_API_BASE_URL", "NO_PROXY")
with (here / "calls").open("a") as calls:
    told = {{name: os.environ.get(name) for name in names}}
    print(json.dumps([sys.argv[1:], os.getcwd(), told]), file=calls)
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
    stack = opened(read_project(folder, "acme-prod"), environ(folder), ADDRESS)
    assert isinstance(stack, CliStack)
    stack.export()
    [words, _, told] = json.loads((folder / "bin/calls").read_text())
    assert words[:2] == ["stack", "export"]
    url = routed(ADDRESS, "acme-prod")
    assert told == {
        "CLOUDFLARE_BASE_URL": url,
        "CLOUDFLARE_API_BASE_URL": url,
        "NO_PROXY": "127.0.0.1,localhost",
    }
    assert stack.setting("cloudflare:baseUrl") == url


def test_without_a_forwarder_nothing_is_changed_and_an_own_address_is_fine(folder: Path) -> None:
    own = "http://127.0.0.1:9/client/v4"
    text = f"config:\n  cloudflare:baseUrl: {own}\n"
    (folder / "Pulumi.acme-prod.yaml").write_text(text)
    project = read_project(folder, "acme-prod")
    stack = opened(project, environ(folder))
    assert isinstance(stack, CliStack)
    assert stack.setting("cloudflare:baseUrl") == own
    with pytest.raises(ConfigError) as refused:
        opened(project, environ(folder), ADDRESS)
    assert "Pulumi.acme-prod.yaml:2: `cloudflare:baseUrl`" in str(refused.value)
    assert "set CLOUDFLARE_BASE_URL" in str(refused.value)


def test_an_embedded_stack_keeps_its_address(folder: Path) -> None:
    (folder / "Pulumi.acme-prod.yaml").write_text("config:\n  flowflare:engine: embedded\n")
    project = read_project(folder, "acme-prod")
    assert isinstance(opened(project, environ(folder), ADDRESS), EmbeddedStack)


def test_a_missing_plugin_is_told_of_every_stack_and_looked_for_once(folder: Path) -> None:
    prepared = Prepared(folder, lambda _: environ(folder), needs_cli=True)
    named = f"pulumi plugin install resource cloudflare {cloudflare_plugin().version}"
    for _ in range(2):
        with pytest.raises(EngineError, match=named):
            prepared.environ_of("acme-prod")
        (folder / "bin" / "pulumi").unlink(missing_ok=True)
    assert not (folder / "bin/calls").exists(), "nothing is downloaded"


def test_each_stack_gets_its_own_environment_once_the_plugins_are_there(folder: Path) -> None:
    (folder / "bin/pulumi-resource-cloudflare").touch(mode=0o755)

    def environ_of(stack: str) -> Mapping[str, str]:
        return {**environ(folder), "PULUMI_CONFIG_PASSPHRASE": stack}

    prepared = Prepared(folder, environ_of, needs_cli=True)
    for stack in ("acme-prod", "beta-prod"):
        assert prepared.environ_of(stack) == environ_of(stack)


def test_a_fleet_without_the_cli_needs_none() -> None:
    prepared = Prepared(Path("/nowhere"), lambda stack: {"STACK": stack}, needs_cli=False)
    assert prepared.environ_of("acme-dev") == {"STACK": "acme-dev"}
