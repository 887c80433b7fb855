"""`flowflare secrets`: what a stack's secrets are like, and the rotation of its API key."""

import typer

from flowflare.cli.secrets.rotate import rotate
from flowflare.cli.secrets.status import status

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Secrets: where they are from and bound, and the rotation of the API key.",
)
app.command()(status)
app.command()(rotate)

__all__ = ["app"]
