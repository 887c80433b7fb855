"""`flowflare doctor`: check what a stack needs, and say how to get what is missing."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from flowflare.cli.options import (
    DEFAULT_STACK,
    JsonOption,
    ProjectOption,
    StackOption,
    project_root,
)
from flowflare.errors import FlowflareError

if TYPE_CHECKING:
    from flowflare.config.files import Project
    from flowflare.engine.pulumi_cli.checks import Check

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
    from flowflare.cli.console import messages, print_json
    from flowflare.config.files import read_project

    project = read_project(project_root(cwd), stack)
    if install:
        _install(project)
    with messages().status("Checking"):
        checks = list(_run_checks(project))
    if json:
        rows = [{**vars(check)} for check in checks]
        print_json({"stack": stack, "checks": rows})
    else:
        _show(checks)
    failed = sum(check.status == "fail" for check in checks)
    if failed:
        raise FlowflareError(f"{failed} of {len(checks)} checks failed")


def _run_checks(project: "Project") -> "Iterator[Check]":
    from flowflare.cli.checks import embedded_checks, machine_checks, pulumi_checks
    from flowflare.config.engine import engine_of

    yield from machine_checks(project)
    checks = pulumi_checks if engine_of(project).needs_cli else embedded_checks
    yield from checks(project)


def _show(checks: "list[Check]") -> None:
    from flowflare.cli.console import answers

    for check in checks:
        line = f"{MARKS[check.status]:<5} {check.name:<12} {check.message}"
        answers().print(line, style=COLORS[check.status], markup=False)
        if check.remedy:
            answers().print(f"{'':<19}{check.remedy}", markup=False)


def _install(project: "Project") -> None:
    from flowflare.cli.console import messages
    from flowflare.engine.pulumi_cli.checks import cli_check
    from flowflare.engine.pulumi_cli.command import find_cli, install
    from flowflare.engine.pulumi_cli.plugins import install_plugin, is_installed, required_plugins

    cli = find_cli(os.environ)
    if cli is None or cli_check(cli).status == "fail":
        with messages().status("Installing the Pulumi CLI"):
            cli = install(os.environ)
        messages().print(f"Installed {cli.path}", markup=False)
    for plugin in required_plugins(project.root):
        if not is_installed(plugin, project.root, os.environ):
            with messages().status(f"Installing the plugin {plugin.name} {plugin.version}"):
                install_plugin(cli, plugin, os.environ)
            messages().print(f"Installed the plugin {plugin.name} {plugin.version}", markup=False)
