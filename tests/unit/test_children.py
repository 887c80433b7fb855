"""What children are started, and what of the environment they see.

Each program here is a spy: it has the name of a program that is looked for on PATH, and writes down
the environment that it was started with.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from flowflare.child_environment import child_environment
from flowflare.engine.pulumi_cli.command import find_cli
from flowflare.engine.pulumi_cli.plugins import install_plugin
from flowflare.engine.pulumi_cli.versions import Plugin
from flowflare.errors import FlowflareError
from flowflare.review.checkout import find_repository
from tests.support.waiting import PATIENCE

SECRETS = {
    "CLOUDFLARE_API_TOKEN": "canary-token",
    "AWS_SECRET_ACCESS_KEY": "canary-aws",
    "PULUMI_CONFIG_PASSPHRASE": "canary-passphrase",
    "PULUMI_CONFIG": '{"shop:key":"canary-config"}',
    "PAYMENT_KEY": "canary-source",
    "GITHUB_SECRET": "canary-other",
}
SPY = """#!/bin/sh
env >> "$(dirname "$0")/$(basename "$0").seen"
exit {code}
"""
CALLS_AN_API = """
import httpx
from flowflare.api.connector import Connector
answer = lambda request: httpx.Response(200, json={"success": True, "result": 1})
client = Connector(transport=lambda: httpx.MockTransport(answer)).open("http://api", "token")
assert client.call("GET", "/accounts") == 1
"""


@pytest.fixture
def spy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Puts a spy first on PATH, and secrets into the environment; returns what it writes to."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)

    def plant(name: str, code: int = 0) -> Path:
        program = folder / name
        program.write_text(SPY.format(code=code))
        program.chmod(0o755)
        return folder / f"{name}.seen"

    return plant


def without_secrets(seen: Path) -> Mapping[str, str]:
    text = seen.read_text()
    assert "canary" not in text
    pairs = (line.partition("=") for line in text.splitlines())
    return {name: value for name, _, value in pairs}


def test_a_call_to_the_api_runs_no_program_called_uname(spy: Callable[..., Path]) -> None:
    seen = spy("uname")
    subprocess.run([sys.executable, "-c", CALLS_AN_API], check=True, timeout=PATIENCE)
    assert not seen.exists()


def test_git_sees_its_own_variables_and_no_secrets(
    spy: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = spy("git", code=1)
    monkeypatch.setenv("GIT_SSH_COMMAND", "ssh -4")
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    with pytest.raises(FlowflareError, match="git rev-parse"):
        find_repository(tmp_path)
    passed = without_secrets(seen)
    assert passed["GIT_SSH_COMMAND"] == "ssh -4"
    assert passed["https_proxy"] == "http://proxy.example:3128"
    assert passed["HOME"] == os.environ["HOME"]


def test_the_pulumi_cli_sees_no_secrets_where_it_runs_no_program(
    spy: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = spy("pulumi")
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    monkeypatch.setenv("GITHUB_TOKEN", "for downloads")
    cli = find_cli(os.environ)
    assert cli is not None
    install_plugin(cli, Plugin("cloudflare", "1.2.3"), os.environ)
    passed = without_secrets(seen)
    assert passed["PULUMI_HOME"] == str(tmp_path)
    assert passed["GITHUB_TOKEN"] == "for downloads"


def test_a_child_gets_what_it_needs_by_name() -> None:
    environ = {
        "PATH": "/bin",
        "LC_ALL": "C",
        "npm_config_registry": "r",
        "HTTPS_PROXY": "p",
        **SECRETS,
    }
    assert child_environment(environ) == {"PATH": "/bin", "LC_ALL": "C"}
    needed = child_environment(environ, prefixes=("NPM_",), network=True)
    assert needed == {name: environ[name] for name in environ if name not in SECRETS}
