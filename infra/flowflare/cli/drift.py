"""`flowflare drift`: compares the state of stacks with the account that they are in."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from flowflare.cli.options import JsonOption, ProjectOption, project_root
from flowflare.errors import FlowflareError

if TYPE_CHECKING:
    from pathlib import Path

    from flowflare.config.files import Project
    from flowflare.review.drift.account import Account
    from flowflare.review.drift.compare import Engine
    from flowflare.review.drift.model import Document, StackDrift


def drift(
    stack: Annotated[
        list[str] | None,
        typer.Option(
            "--stack",
            "-s",
            metavar="NAME",
            help="A stack; may be given several times. All that have a file when left out.",
            show_default=False,
        ),
    ] = None,
    cwd: ProjectOption = None,
    exit_code: Annotated[
        bool,
        typer.Option("--exit-code", help="End with 2 where something has drifted, for schedulers."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Compare the state of stacks with the account: what was changed, is missing, was added.

    Only reads, and opens no secret but the API token. The JSON's schema is
    docs/flowflare.drift.schema.json.

    Examples:

      flowflare drift --stack prod

      flowflare drift --exit-code --json | jq '.stacks[].findings[]'
    """
    from flowflare.cli.console import messages, print_json
    from flowflare.config.files import stacks_of

    root = project_root(cwd)
    names = stack or stacks_of(root)
    with messages().status("Asking the account"):
        found = look(root, names)
    if json:
        print_json(found.model_dump(mode="json"))
    else:
        _show(found)
    broken = [one for one in found.stacks if one.error]
    if broken:
        listed = ", ".join(one.stack for one in broken)
        raise FlowflareError(f"could not be looked at: {listed}")
    if exit_code and found.exit_code:
        raise typer.Exit(found.exit_code)


def look(root: "Path", stacks: list[str]) -> "Document":
    """Compares stacks with their accounts; a list of an account is asked for once.

    Args:
        root: the project's folder.
        stacks: the stacks.

    Raises:
        ConfigError: there is no such stack, or its files are not in order.
    """
    from flowflare.config.files import read_project
    from flowflare.review.drift.model import document

    accounts: dict[tuple[str, str, str], Account] = {}
    projects = [read_project(root, name) for name in dict.fromkeys(stacks)]
    found = [_drift(project, accounts) for project in projects]
    return document(projects[0].name if projects else "", found)


def _drift(project: "Project", accounts: "dict[tuple[str, str, str], Account]") -> "StackDrift":
    from flowflare.api import connect
    from flowflare.cli.access import base_url, token
    from flowflare.cli.local import ensure_running
    from flowflare.config.engine import is_embedded
    from flowflare.review.against_state import read_state
    from flowflare.review.drift.account import Account
    from flowflare.review.drift.compare import drift, failed

    embedded = is_embedded(project)
    engine: Engine = "embedded" if embedded else "pulumi"
    try:
        deployment = read_state(project, os.environ, opened=False)
        if embedded:
            ensure_running(project)
        account = project.values.get("flowflare:accountId")
        key = (base_url(project), token(project), account.text if account else "")
        if key not in accounts:
            accounts[key] = Account(connect(key[0], key[1]), key[2])
        return drift(deployment, accounts[key], stack=project.stack, engine=engine)
    except FlowflareError as error:
        return failed(project.stack, engine, error)


STYLES = {
    "missing": "red",
    "changed": "yellow",
    "extra": "green",
    "error": "bold red",
    "title": "bold",
}


def _show(found: "Document") -> None:
    from flowflare.cli.console import print_lines
    from flowflare.review.drift.text import lines

    print_lines(lines(found), STYLES)
