"""Plugins of the Pulumi CLI: what a program needs, what is installed, what is refused at once."""

import os
from pathlib import Path

import pytest

from flowflare.config.files import read_project_file
from flowflare.engine.pulumi_cli import checks
from flowflare.engine.pulumi_cli.command import Cli
from flowflare.engine.pulumi_cli.plugins import (
    HOSTS,
    install_plugin,
    is_installed,
    require_plugins,
    required_plugins,
)
from flowflare.engine.pulumi_cli.versions import Plugin, cloudflare_plugin
from flowflare.errors import EngineError

CLOUDFLARE = cloudflare_plugin()
NAMED = f"cloudflare {CLOUDFLARE.version}"


def put_program(program: Path, text: str = "") -> Path:
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    return tmp_path


@pytest.fixture
def cli(root: Path) -> Cli:
    """A CLI with its language hosts beside it, and no plugin."""
    for host in HOSTS:
        put_program(root / "bin" / host)
    return Cli(put_program(root / "bin/pulumi"), (3, 274, 1))


@pytest.fixture
def environ(root: Path) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "HOME": str(root), "PULUMI_HOME": str(root / "home")}


def test_a_missing_plugin_is_refused_with_the_command_that_installs_it(
    root: Path, cli: Cli, environ: dict[str, str]
) -> None:
    with pytest.raises(EngineError) as refused:
        require_plugins("stack prod", read_project_file(root), cli, environ)
    assert refused.value.message == f"stack prod needs the plugin {NAMED}, which is not installed"
    assert refused.value.remedy == f"Run: pulumi plugin install resource {NAMED}"
    require_plugins("stack prod", read_project_file(root), cli, environ, runs_program=False)
    [check] = checks.plugin_checks(read_project_file(root), environ)
    assert (check.status, check.remedy) == ("fail", refused.value.remedy)


def test_all_missing_plugins_are_named_together(
    root: Path, cli: Cli, environ: dict[str, str]
) -> None:
    runtime = "{name: python, options: {virtualenv: venv}}"
    (root / "Pulumi.yaml").write_text(f"name: shop\nruntime: {runtime}\n")
    for name, fields in {
        "pulumi_random": '{"resource": true, "name": "random", "version": "4.1.0"}',
        "pulumi_aws": '{"resource": true, "name": "aws", "version": "v7.0.0"}',
        "pulumi_policy": '{"resource": false}',
    }.items():
        package = root / "venv/lib/python3.11/site-packages" / name
        package.mkdir(parents=True)
        (package / "pulumi-plugin.json").write_text(fields)
    assert required_plugins(read_project_file(root)) == [
        Plugin("aws", "7.0.0"),
        Plugin("random", "4.1.0"),
    ]
    with pytest.raises(EngineError, match=r"plugins aws 7\.0\.0 and random 4\.1\.0, which are not"):
        require_plugins("stack prod", read_project_file(root), cli, environ)


def test_an_installed_plugin_is_found_where_the_cli_finds_it(
    root: Path, environ: dict[str, str]
) -> None:
    def is_found(**more: str) -> bool:
        return is_installed(CLOUDFLARE, read_project_file(root), {**environ, **more})

    assert not is_found()
    folder = root / f"home/plugins/resource-cloudflare-v{CLOUDFLARE.version}"
    partial = folder.with_name(f"{folder.name}.partial")
    folder.mkdir(parents=True)
    partial.touch()
    assert not is_found(), "its download was cut off"
    partial.unlink()
    assert is_found()
    folder.rename(folder.with_name("resource-cloudflare-v1.0.0"))
    assert not is_found(), "another version is installed"

    put_program(root / "ambient/pulumi-resource-cloudflare")
    path = f"{root}/ambient{os.pathsep}{environ['PATH']}"
    assert is_found(PATH=path)
    assert not is_found(PATH=path, PULUMI_IGNORE_AMBIENT_PLUGINS="true")
    assert is_found(PULUMI_DEBUG_PROVIDERS="cloudflare:4000")
    with (root / "Pulumi.yaml").open("a") as file:
        file.write("plugins: {providers: [{name: cloudflare, path: ../bin}]}\n")
    assert is_found()


def test_a_cli_without_its_language_hosts_is_refused(root: Path, environ: dict[str, str]) -> None:
    cli = Cli(put_program(root / "bin/pulumi"), (3, 274, 1))
    with pytest.raises(EngineError) as refused:
        require_plugins("stack prod", read_project_file(root), cli, environ)
    hosts = "pulumi-language-python and pulumi-resource-pulumi-python"
    place = f"not found on PATH or beside {cli.path}"
    assert refused.value.message == f"stack prod needs {hosts}: {place}"


def test_a_plugin_that_cannot_be_downloaded_can_be_installed_from_an_archive(
    root: Path, environ: dict[str, str]
) -> None:
    cli = Cli(put_program(root / "bin/pulumi", "echo error: no such host >&2; exit 1"), None)
    with pytest.raises(EngineError, match=r"no such host\n.*--file ARCHIVE"):
        install_plugin(cli, CLOUDFLARE, environ)


def test_the_packages_of_this_python_pin_cloudflares_plugin(root: Path) -> None:
    assert CLOUDFLARE in required_plugins(read_project_file(root))
