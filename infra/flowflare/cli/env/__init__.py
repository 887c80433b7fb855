"""`flowflare env`: environments that expire, such as one for each pull request."""

import typer

from flowflare.cli.env.down import down
from flowflare.cli.env.list import list_
from flowflare.cli.env.sweep import sweep
from flowflare.cli.env.up import up

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Ephemeral environments, which are removed when they expire.",
)
app.command()(up)
app.command("list")(list_)
app.command()(sweep)
app.command()(down)

__all__ = ["app"]
