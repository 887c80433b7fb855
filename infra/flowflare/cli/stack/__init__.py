"""`flowflare stack`: remove a stack."""

import typer

from flowflare.cli.stack.rm import rm

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Remove a stack.")
app.command()(rm)

__all__ = ["app"]
