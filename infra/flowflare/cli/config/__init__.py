"""`flowflare config`: show and set values of a stack's configuration."""

import typer

from flowflare.cli.config.get import get
from flowflare.cli.config.ls import ls
from flowflare.cli.config.set import set_

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Show and set values of a stack's configuration.",
)
app.command("set")(set_)
app.command()(get)
app.command()(ls)

__all__ = ["app"]
