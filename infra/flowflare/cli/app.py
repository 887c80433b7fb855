"""The commands and the words that introduce them."""

from typing import Annotated

import typer

from flowflare.cli import emulator, env, fleet, init, migrations, secrets
from flowflare.cli.adopt import adopt
from flowflare.cli.comment import comment
from flowflare.cli.destroy import destroy
from flowflare.cli.diff import diff
from flowflare.cli.docs import docs, schema
from flowflare.cli.doctor import doctor
from flowflare.cli.drift import drift
from flowflare.cli.order import order
from flowflare.cli.outputs import outputs
from flowflare.cli.preview import preview
from flowflare.cli.render import render
from flowflare.cli.unlock import unlock
from flowflare.cli.up import up

app = typer.Typer(
    name="flowflare",
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
    """Holds the options that stand before a command."""


app.command()(init.init)
app.command()(up)
app.command()(preview)
app.command()(diff)
app.command()(comment)
app.command()(destroy)
app.command()(outputs)
app.command()(render)
app.command()(order)
app.command()(unlock)
app.command()(drift)
app.command()(adopt)
app.command()(doctor)
app.command()(docs)
app.command()(schema)
app.add_typer(secrets.app, name="secrets")
app.add_typer(migrations.app, name="migrations")
app.add_typer(fleet.app, name="fleet")
app.add_typer(env.app, name="env")
app.add_typer(emulator.app, name="emulator")
