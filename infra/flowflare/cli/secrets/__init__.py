"""`flowflare secrets`: show a stack's secrets, and rotate its API key."""

import typer

from flowflare.cli.secrets.rotate import rotate
from flowflare.cli.secrets.status import status

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Show where secrets come from, and rotate the API key.",
)
app.command()(status)
app.command()(rotate)

__all__ = ["app"]
