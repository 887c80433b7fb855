"""`flowflare secrets`: show and set a stack's secrets, and rotate its API key."""

import typer

from flowflare.cli.secrets.rotate import rotate
from flowflare.cli.secrets.set import set_
from flowflare.cli.secrets.status import status

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Show where secrets come from, set them, and rotate the API key.",
)
app.command("set", context_settings={"allow_extra_args": True})(set_)
app.command()(status)
app.command()(rotate)

__all__ = ["app"]
