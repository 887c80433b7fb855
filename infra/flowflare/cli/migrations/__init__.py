"""`flowflare migrations`: create, show, check, record and undo D1 migrations."""

import typer

from flowflare.cli.migrations.baseline import baseline
from flowflare.cli.migrations.lint import lint
from flowflare.cli.migrations.new import new
from flowflare.cli.migrations.restore import restore
from flowflare.cli.migrations.status import status

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Create, show, check, record and undo the migrations of a D1 database.",
)
app.command()(new)
app.command()(status)
app.command()(lint)
app.command()(baseline)
app.command()(restore)

__all__ = ["app"]
