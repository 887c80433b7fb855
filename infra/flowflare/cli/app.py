"""The list of commands, each imported on first use, and the text above them in `--help`."""

from collections.abc import Mapping
from typing import Annotated, Final

import typer

from flowflare.cli.command_table import make_table

#: In the order of `--help`: a function is a command, an `app` is a group of commands.
COMMANDS: Final[Mapping[str, str]] = {
    "init": "flowflare.cli.init:init",
    "up": "flowflare.cli.up:up",
    "preview": "flowflare.cli.preview:preview",
    "diff": "flowflare.cli.diff:diff",
    "comment": "flowflare.cli.comment:comment",
    "destroy": "flowflare.cli.destroy:destroy",
    "outputs": "flowflare.cli.outputs:outputs",
    "render": "flowflare.cli.render:render",
    "types": "flowflare.cli.types:types",
    "order": "flowflare.cli.order:order",
    "unlock": "flowflare.cli.unlock:unlock",
    "stack": "flowflare.cli.stack:app",
    "drift": "flowflare.cli.drift:drift",
    "refresh": "flowflare.cli.refresh:refresh",
    "adopt": "flowflare.cli.adopt:adopt",
    "doctor": "flowflare.cli.doctor:doctor",
    "docs": "flowflare.cli.docs:docs",
    "schema": "flowflare.cli.docs:schema",
    "config": "flowflare.cli.config:app",
    "secrets": "flowflare.cli.secrets:app",
    "migrations": "flowflare.cli.migrations:app",
    "fleet": "flowflare.cli.fleet:app",
    "env": "flowflare.cli.env:app",
    "emulator": "flowflare.cli.emulator:app",
}


app = typer.Typer(
    name="flowflare",
    cls=make_table(COMMANDS),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Provision the tracking of Cloudflare Workflows, on an embedded Cloudflare or a real one.

    Start here:  flowflare init my-tracking && cd my-tracking && flowflare up
    """,
)


def _version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        typer.echo(version("flowflare"))
        raise typer.Exit


@app.callback()
def flowflare(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Define the options that come before a command."""
