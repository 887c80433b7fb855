"""The options that several commands share."""

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from flowflare.cli.answer_stream import keep_standard_output
from flowflare.cli.completion import complete_stacks
from flowflare.cli.hints import use_stack
from flowflare.errors import ConfigError, Problem

StackOption = Annotated[
    str,
    typer.Option(
        "--stack",
        "-s",
        metavar="NAME",
        help="The stack; its file is Pulumi.NAME.yaml.",
        autocompletion=complete_stacks,
        callback=use_stack,
    ),
]
ProjectOption = Annotated[
    Path | None,
    typer.Option(
        "--cwd",
        "-C",
        metavar="DIR",
        help="The project's folder; by default the nearest with Pulumi.yaml, upwards from here.",
    ),
]


def _keep_standard_output(json: bool) -> bool:
    if json:
        keep_standard_output()
    return json


JsonOption = Annotated[
    bool,
    typer.Option("--json", callback=_keep_standard_output, help="Print JSON on standard output."),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DEFAULT_STACK = "local"


def make_stack_option(stack: str) -> str:
    """Return the option for a stack in a suggested command, with a space before it."""
    return "" if stack == DEFAULT_STACK else f" -s {quote(stack)}"


def choose_project_root(given: Path | None) -> Path:
    """Return the given folder, else the nearest parent with a `Pulumi.yaml`.

    Raises:
        ConfigError: there is no `Pulumi.yaml`.
    """
    start = (given or Path.cwd()).resolve()
    candidates = [start] if given else [start, *start.parents]
    for folder in candidates:
        if (folder / "Pulumi.yaml").exists():
            return folder
    raise ConfigError(
        [
            Problem(
                str(given or Path.cwd()),
                "there is no Pulumi.yaml here" + ("" if given else " or in a folder above"),
                "Change to a project's folder, or create a project: flowflare init my-tracking",
            )
        ]
    )
