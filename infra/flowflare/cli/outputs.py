"""`flowflare outputs`: print a stack's outputs."""

import os
from typing import Annotated, Any

import typer

from flowflare.cli.console import print_json, print_message, print_result
from flowflare.cli.options import (
    DEFAULT_STACK,
    JsonOption,
    ProjectOption,
    StackOption,
    choose_project_root,
    make_stack_option,
)
from flowflare.cli.progress import show_note
from flowflare.cli.stacks import open_project_stack
from flowflare.engine.deployed_project import read_deployed_project


def outputs(
    stack: StackOption = DEFAULT_STACK,
    cwd: ProjectOption = None,
    json: JsonOption = False,
    show_secrets: Annotated[
        bool, typer.Option("--show-secrets", help="Print secrets instead of hiding them.")
    ] = False,
) -> None:
    """Print a stack's outputs: URLs, names, the API key.

    Examples:

      flowflare outputs

      flowflare outputs --json --show-secrets | jq -r .api_key
    """
    project = read_deployed_project(choose_project_root(cwd), stack, os.environ)
    values = open_project_stack(project).outputs(show_secrets=show_secrets, on_event=show_note)
    if json:
        print_json(values)
        return
    if not values:
        up = f"flowflare up{make_stack_option(stack)}"
        print_message(f"Stack {stack} has no outputs yet. Deploy it: {up}")
    for name, value in _flatten(values):
        print_result(f"{name:<24} {value}")


def _flatten(values: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, dict):
            lines += _flatten(value, f"{prefix}{name}.")
        else:
            lines.append((f"{prefix}{name}", str(value)))
    return lines
