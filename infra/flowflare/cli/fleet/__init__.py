"""`flowflare fleet`: commands over many stacks, one for each tenant and environment."""

import typer

from flowflare.cli.fleet.config import config
from flowflare.cli.fleet.destroy import destroy
from flowflare.cli.fleet.drift import drift
from flowflare.cli.fleet.preview import preview
from flowflare.cli.fleet.status import status
from flowflare.cli.fleet.up import up

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Many tenants: the files of their stacks, previews, upgrades in waves, retirement.",
)
app.command()(config)
app.command()(up)
app.command()(destroy)
app.command()(preview)
app.command()(status)
app.command()(drift)

__all__ = ["app"]
