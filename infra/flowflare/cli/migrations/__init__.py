"""`flowflare migrations`: create, show, check, record and undo D1 migrations."""

from flowflare.cli.command_table import make_group

app = make_group(
    __name__,
    {name: name for name in ("new", "status", "lint", "baseline", "restore")},
    "Create, show, check, record and undo the migrations of a D1 database.",
)
