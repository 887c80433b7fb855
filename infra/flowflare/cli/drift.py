"""`flowflare drift`: compare the state of stacks with their account."""

import os
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from flowflare.api import connect
from flowflare.cli.allow_unknown import read_allowed, refuse_unused
from flowflare.cli.console import open_stderr, print_json, print_lines
from flowflare.cli.local import require_running
from flowflare.cli.options import JsonOption, ProjectOption, choose_project_root
from flowflare.config.engine import engine_of
from flowflare.config.files import Project, ProjectFile, read_project_file
from flowflare.engine.access import find_token, read_base_url
from flowflare.engine.contract import read_state
from flowflare.errors import FlowflareError
from flowflare.kinds.account import Account
from flowflare.review.drift.compare import compare_with_account, make_failed, mark_allowed
from flowflare.review.drift.model import DriftDocument, StackDrift, make_document
from flowflare.review.drift.text import write_lines

ExitCodeOption = Annotated[
    bool,
    typer.Option("--exit-code", help="Exit with 2 if something has drifted, for scheduled jobs."),
]
AllowUnknownOption = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-unknown",
        metavar="NAME=REASON",
        help="Let the check pass although something could not be compared: a resource, a type "
        "such as cloudflare:index/dnsRecord:DnsRecord, or a stack. May be given several times.",
    ),
]


def drift(
    stack: Annotated[
        list[str] | None,
        typer.Option(
            "--stack",
            "-s",
            metavar="NAME",
            help="A stack; may be given several times. By default every stack with a file.",
        ),
    ] = None,
    cwd: ProjectOption = None,
    exit_code: ExitCodeOption = False,
    allow_unknown: AllowUnknownOption = None,
    json: JsonOption = False,
) -> None:
    """Compare the state of stacks with the account: what has changed, is missing or was added.

    Only reads, and does not start the embedded Cloudflare. Exits with 1 if something could not be
    compared. `flowflare schema drift` prints the JSON's schema.

    Examples:

      flowflare drift --stack prod

      flowflare drift --exit-code --json | jq '.stacks[].findings[]'

      flowflare drift --allow-unknown "cloudflare:index/dnsRecord:DnsRecord=another tool's"
    """
    project = read_project_file(choose_project_root(cwd), check=False)
    names = stack or project.list_stacks()
    allowed = read_allowed(allow_unknown or (), "NAME")
    with open_stderr().status("Reading the account"):
        found = look(project, names, allowed)
    refuse_needless(found, allowed)
    if json:
        print_json(found.model_dump(mode="json"))
    else:
        print_lines(write_lines(found), STYLES)
    end(found, exit_code=exit_code)


def refuse_needless(found: DriftDocument, allowed: Mapping[str, str]) -> None:
    """Refuse names of `--allow-unknown` that match nothing unknown."""
    if any(stack.error for stack in found.stacks):
        return  # a stack that failed cannot show what would have been unknown
    unknown = [(stack.stack, each) for stack in found.stacks for each in stack.unknown]
    named = [(stack, each.resource, each.type) for stack, each in unknown]
    refuse_unused(allowed, {name for names in named for name in names})


def end(found: DriftDocument, *, exit_code: bool) -> None:
    """Exit with the code for a result that was printed.

    Args:
        exit_code: whether to exit with 2 if something has drifted.

    Raises:
        FlowflareError: something could not be compared.
    """
    broken = [stack.stack for stack in found.stacks if stack.error]
    unknown = [
        stack.stack for stack in found.stacks if stack.result == "unknown" and not stack.error
    ]
    problems = [
        *([f"could not be compared: {_join_few(broken)}"] if broken else []),
        *([f"could not be compared completely: {_join_few(unknown)}"] if unknown else []),
    ]
    if problems:
        raise FlowflareError("; ".join(problems))
    if exit_code and found.exit_code:
        raise typer.Exit(found.exit_code)


def _join_few(stacks: Sequence[str]) -> str:
    more = f" and {len(stacks) - 5:,} more" if len(stacks) > 5 else ""
    return ", ".join(stacks[:5]) + more


def look(
    shared: ProjectFile, stacks: list[str], allowed: Mapping[str, str] | None = None
) -> DriftDocument:
    """Compare stacks with their accounts; each list of an account is read once.

    Args:
        allowed: the reasons by the name of what may be unknown.

    Raises:
        ConfigError: a stack does not exist, or its files are invalid.
    """
    accounts: dict[tuple[str, str, str], Account] = {}
    projects = [shared.read_stack(name) for name in dict.fromkeys(stacks)]
    found = [mark_allowed(_drift(project, accounts), allowed or {}) for project in projects]
    return make_document(projects[0].name if projects else "", found)


def _drift(project: Project, accounts: dict[tuple[str, str, str], Account]) -> StackDrift:
    engine = engine_of(project)
    try:
        deployment = read_state(project, os.environ, opened=False)
        if engine.needs_emulator and not deployment.resources and not deployment.pending:
            return StackDrift(stack=project.stack, engine=engine.name, resources=0, api_calls=0)
        if engine.needs_emulator:
            require_running(project)
        account = project.values.get("flowflare:accountId")
        address, token = read_base_url(project, os.environ), find_token(project, os.environ)
        key = (address, token, account.text if account else "")
        if key not in accounts:
            accounts[key] = Account(connect(address, token), key[2])
        return compare_with_account(
            deployment, accounts[key], stack=project.stack, engine=engine.name
        )
    except FlowflareError as error:
        return make_failed(project.stack, engine.name, error)


STYLES = {
    "missing": "red",
    "changed": "yellow",
    "extra": "green",
    "error": "bold red",
    "title": "bold",
}
