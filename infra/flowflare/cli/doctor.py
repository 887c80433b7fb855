"""`flowflare doctor`: check what a stack needs, and say how to get what is missing."""

import os
from collections.abc import Iterator
from typing import Annotated

import typer

from flowflare.cli.checks import check_embedded_engine, check_machine, check_pulumi_cli
from flowflare.cli.console import open_stderr, print_json, print_message, print_result
from flowflare.cli.options import (
    DEFAULT_STACK,
    JsonOption,
    ProjectOption,
    StackOption,
    choose_project_root,
)
from flowflare.config.engine import engine_of
from flowflare.config.files import Project, read_project
from flowflare.engine.pulumi_cli.checks import Check, cli_check
from flowflare.engine.pulumi_cli.command import find_cli, install
from flowflare.engine.pulumi_cli.plugins import install_plugin, is_installed, required_plugins
from flowflare.errors import FlowflareError

MARKS = {"ok": "ok", "warn": "warn", "fail": "FAIL"}
COLORS = {"ok": "green", "warn": "yellow", "fail": "red"}
InstallOption = Annotated[
    bool, typer.Option("--install", help="Install the pinned Pulumi CLI and Cloudflare plugin.")
]


def doctor(
    stack: StackOption = DEFAULT_STACK,
    cwd: ProjectOption = None,
    install: InstallOption = False,
    json: JsonOption = False,
) -> None:
    """Check what a stack needs: CLI, plugin, backend, passphrase, token, account, Node, packages.

    Writes nothing to the account, and to this machine only with --install. In a bucket with state,
    creates an object and removes it. Exits with 1 if a check fails.

    Examples:

      flowflare doctor --stack prod

      flowflare doctor --stack prod --install
    """
    project = read_project(choose_project_root(cwd), stack)
    if install:
        _install(project)
    with open_stderr().status("Checking"):
        checks = list(_run_checks(project))
    if json:
        rows = [{**vars(check)} for check in checks]
        print_json({"stack": stack, "checks": rows})
    else:
        _show(checks)
    failed = sum(check.status == "fail" for check in checks)
    if failed:
        raise FlowflareError(f"{failed} of {len(checks)} checks failed")


def _run_checks(project: Project) -> Iterator[Check]:
    yield from check_machine(project)
    checks = check_pulumi_cli if engine_of(project).needs_cli else check_embedded_engine
    yield from checks(project)


def _show(checks: list[Check]) -> None:
    for check in checks:
        line = f"{MARKS[check.status]:<5} {check.name:<12} {check.message}"
        print_result(line, style=COLORS[check.status])
        if check.remedy:
            print_result(f"{'':<19}{check.remedy}")


def _install(project: Project) -> None:
    cli = find_cli(os.environ)
    if cli is None or cli_check(cli).status == "fail":
        with open_stderr().status("Installing the Pulumi CLI"):
            cli = install(os.environ)
        print_message(f"Installed {cli.path}")
    for plugin in required_plugins(project.shared):
        if not is_installed(plugin, project.shared, os.environ):
            with open_stderr().status(f"Installing the plugin {plugin.name} {plugin.version}"):
                install_plugin(cli, plugin, os.environ)
            print_message(f"Installed the plugin {plugin.name} {plugin.version}")
